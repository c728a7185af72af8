import { Agent, type ClientRequest, request } from "node:http";
import { createInterface } from "node:readline";
import { type LatencyAnswer, monotonicMs, type Order, type Script } from "../order.ts";

// Measures as it is told on standard input, one order a line, and answers each with a line of JSON.

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const path = "/v1/chat/completions";
const tokens = 20;
const everyMs = 5;
/** Not measured: connections are made, and code is compiled. */
const warmUps = 20;
let open: ClientRequest[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await obey(JSON.parse(line) as Order);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function obey(order: Order): unknown {
  if (order.kind === "latency") return latency(order);
  if (order.kind === "rate") return rate(order);
  if (order.kind === "open") return openStreams(order);
  const atMs = monotonicMs();
  for (const one of open) one.destroy();
  open = [];
  return atMs;
}

async function latency({
  targets,
  rounds,
  bytes,
}: Extract<Order, { kind: "latency" }>): Promise<LatencyAnswer> {
  const names = Object.keys(targets);
  const samples = new Map(names.map((name) => [name, { firstByte: [] as number[], token: [] as number[] }]));
  const body = bodyOf({ tokens, everyMs, firstMs: 0 }, bytes);
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const [name, origin] of Object.entries(targets)) {
      const seen = await stream(origin, body);
      if (round < 0) continue;
      samples.get(name)?.firstByte.push(seen.firstByteMs);
      samples.get(name)?.token.push(...seen.tokenMs);
    }
  }
  return Object.fromEntries(samples);
}

interface Seen {
  readonly firstByteMs: number;
  readonly tokenMs: readonly number[];
}

function stream(origin: string, body: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const startMs = monotonicMs();
    let firstByteMs = 0;
    const tokenMs: number[] = [];
    post(origin, body, reject).on("response", (response) => {
      response.setEncoding("utf8").on("data", (text: string) => {
        const nowMs = monotonicMs();
        if (firstByteMs === 0) firstByteMs = nowMs - startMs;
        for (const [, sent] of text.matchAll(/"sent":([\d.]+)/g)) tokenMs.push(nowMs - Number(sent));
      });
      response.once("error", reject).once("end", () => resolve({ firstByteMs, tokenMs }));
    });
  });
}

/** Requests a second, each for a short answer. */
async function rate({ target, clients, seconds }: Extract<Order, { kind: "rate" }>): Promise<number> {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "x".repeat(1_000) }] });
  const endMs = monotonicMs() + seconds * 1_000;
  let count = 0;
  const one = async (): Promise<void> => {
    while (monotonicMs() < endMs) {
      await once(target, body);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
  return count / seconds;
}

function once(origin: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    post(origin, body, reject).on("response", (response) => {
      if (response.statusCode !== 200) reject(new Error(`${origin} answers ${response.statusCode}`));
      response.resume().once("error", reject).once("end", resolve);
    });
  });
}

/** Resolves when each stream has its first token. */
async function openStreams({ target, streams }: Extract<Order, { kind: "open" }>): Promise<number> {
  const body = bodyOf({ tokens: 1e6, everyMs: 100, firstMs: 0 }, 1_000);
  const opened = Array.from({ length: streams }, () => {
    return new Promise<void>((resolve, reject) => {
      const sending = post(target, body, reject).on("response", (response) => {
        response.on("error", () => {}).once("data", () => resolve());
      });
      open.push(sending);
    });
  });
  await Promise.all(opened);
  return open.length;
}

function post(origin: string, body: string, fail: (error: Error) => void): ClientRequest {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const sending = request(new URL(path, origin), { method: "POST", agent, headers });
  sending.on("error", fail).end(body);
  return sending;
}

function bodyOf(metadata: Script, bytes: number): string {
  const messages = [{ role: "user", content: "x".repeat(bytes) }];
  return JSON.stringify({ model: "m", stream: true, metadata, messages });
}
