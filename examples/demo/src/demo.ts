import { createDiscovery } from "@lmserv/discovery-core";
import { mdns } from "@lmserv/discovery-mdns";
import { type ChatFleet, startFleet } from "./chat-fleet.ts";
import { type Scene, Stage } from "./stage.ts";

/** Generous: it takes less than a second. */
const findMs = 15_000;
/** Generous: a node is kept for a second after its goodbye (RFC 6762 section 10.1). */
const goodbyeMs = 5_000;
const prompt = "Hello!";

export interface DemoOptions {
  /** Of the interface to use. */
  readonly address: string;
  /** Ends the demo after the answer. */
  readonly once: boolean;
  /** Takes every change of the scene. */
  readonly show: (scene: Scene) => void;
  /** Ends the demo early: the servers say goodbye and are seen to leave. */
  readonly signal: AbortSignal;
}

/**
 * Starts chat servers, shows how they are found, and asks one of them.
 *
 * @throws {Error} when one of them is not found in time, or fails.
 */
export async function runDemo({ address, once, show, signal }: DemoOptions): Promise<void> {
  const failure = new AbortController();
  const running = AbortSignal.any([signal, failure.signal]);
  await using fleet = startFleet(address, (error) => failure.abort(error));
  await using discovery = await createDiscovery({ transports: [mdns({ interfaces: [address] })] });
  const stage = new Stage(discovery, fleet, show);
  try {
    const late = setTimeout(() => failure.abort(notFound(fleet, stage)), findMs);
    await find(fleet, stage, running).finally(() => clearTimeout(late));
    await ask(stage, running);
    if (once) return;
    stage.update({ status: "Ctrl-C ends the servers." });
    await stage.until(() => false, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await dismiss(fleet, stage);
}

async function find({ servers }: ChatFleet, stage: Stage, signal: AbortSignal): Promise<void> {
  stage.update({ status: "Looking for servers ..." });
  await stage.until(({ nodes }) => nodes.length === servers.size, signal);
  signal.throwIfAborted();
}

function notFound({ servers }: ChatFleet, stage: Stage): Error {
  const { nodes, warnings } = stage.update();
  const found = new Set(nodes.map(({ id }) => id));
  const missing = [...servers].flatMap(([id, { info }]) => (found.has(id) ? [] : [info]));
  return new Error([`not found within ${findMs / 1_000} s: ${missing.join(", ")}`, ...warnings].join("\n"));
}

async function ask(stage: Stage, signal: AbortSignal): Promise<void> {
  const [node] = stage.update().nodes;
  if (!node?.url) throw new Error(`${node?.info ?? "the server"} has no URL`);
  let answer = `POST ${node.url} "${prompt}"\n${node.info}: `;
  stage.update({ status: `Asking ${node.info} ...` });
  for await (const words of chat(node.url, signal)) {
    answer += words;
    stage.update({ answer });
  }
}

async function* chat(url: string, signal: AbortSignal): AsyncIterable<string> {
  const body = JSON.stringify({ prompt, max_tokens: 64 });
  const response = await fetch(url, { method: "POST", body, signal });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  yield* response.body.pipeThrough(new TextDecoderStream());
}

async function dismiss({ stop }: ChatFleet, stage: Stage): Promise<void> {
  stage.update({ status: "The servers say goodbye ..." });
  stop();
  const patience = new AbortController();
  const late = setTimeout(() => patience.abort(), goodbyeMs);
  const isEmpty = await stage.until(({ nodes }) => nodes.length === 0, patience.signal);
  clearTimeout(late);
  if (!isEmpty) {
    const silent = stage.update().nodes.map(({ info }) => info);
    throw new Error(`no goodbye was heard of ${silent.join(", ")}`);
  }
  stage.update({ status: "All servers said goodbye." });
}
