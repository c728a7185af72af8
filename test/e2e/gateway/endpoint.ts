import { fileURLToPath } from "node:url";
import { createLan, type Exit, type Host, type HostProcess } from "@lmserv/test-netlab";
import { lmserv } from "../command/command.ts";

const modelHost = fileURLToPath(new URL("./model-host.mjs", import.meta.url));
const port = 8_000;

/** A server that announces itself, on a host of its own. */
export interface ModelHost {
  readonly host: Host;
  readonly process: HostProcess;
  /** Has it answer in another way from now on: `answer`, `wait`, `stream`, `die`, a status; `finish` ends what waits. */
  readonly order: (line: string) => Promise<void>;
  /** Resolves when so much was asked of it in all. */
  readonly asked: (times: number) => Promise<void>;
  /** Resolves when the client of so many requests in all has left before their end. */
  readonly left: (times: number) => Promise<void>;
  readonly requests: () => number;
}

/** Two servers, `a` before `b`, and `lmserv gateway` on a third host. */
export interface Site extends AsyncDisposable {
  readonly a: ModelHost;
  readonly b: ModelHost;
  readonly gateway: HostProcess;
  /** Starts `a` anew on its host. */
  readonly restart: () => Promise<ModelHost>;
  /** Resolves when `a` answers at the endpoint again, as it does first. */
  readonly firstServes: () => Promise<void>;
  /** Asks at the endpoint, as a client on the gateway's host. */
  readonly ask: () => Promise<Client>;
}

export interface Client {
  readonly process: HostProcess;
  /** Body, status and headers, once the answer has ended. */
  readonly answer: () => Promise<{ readonly exit: Exit; readonly text: string; readonly status: number }>;
}

export async function openSite(): Promise<Site> {
  const lan = await createLan({ hosts: 3 });
  const [hostA, hostB, hostC] = lan.hosts;
  const [a, b] = [await startModels(hostA, "a"), await startModels(hostB, "b")];
  const gateway = await hostC.spawn(lmserv("gateway", "--prefer", "a", "-v"));
  await gateway.stderrLine((line) => /serving llama3 \((?:a, b|b, a)\)/.test(line));
  const ask = (): Promise<Client> => startClient(hostC);
  const servedBy = async (): Promise<string> => (await (await ask()).answer()).text;
  return {
    a,
    b,
    gateway,
    restart: () => startModels(hostA, "a"),
    async firstServes() {
      while (!(await servedBy()).includes("a "));
    },
    ask,
    [Symbol.asyncDispose]: () => lan[Symbol.asyncDispose](),
  };
}

/** @param certificate - File with a certificate and its key, for a server with TLS. */
export async function startModels(host: Host, name: string, ...certificate: [string?]): Promise<ModelHost> {
  const args = [name, `${port}`, ...certificate.filter((file) => file !== undefined)];
  const process = await host.spawn([globalThis.process.execPath, modelHost, ...args]);
  const event = (name: string, times: number): Promise<string> => {
    let count = 0;
    return process.line((line) => {
      if (line === JSON.stringify({ event: name })) count += 1;
      return count >= times;
    });
  };
  await event("announced", 1);
  const ordered = new Map<string, number>();
  return {
    host,
    process,
    async order(line) {
      const times = (ordered.get(line) ?? 0) + 1;
      ordered.set(line, times);
      process.stdin.write(`${line}\n`);
      await event(line, times);
    },
    asked: async (times) => void (await event("asked", times)),
    left: async (times) => void (await event("left", times)),
    requests: () => process.lines.filter((line) => line === '{"event":"asked"}').length,
  };
}

const body = JSON.stringify({ model: "llama3", stream: true, messages: [{ role: "user", content: "hi" }] });

async function startClient(host: Host): Promise<Client> {
  const url = "http://127.0.0.1:8740/v1/chat/completions";
  const options = ["--silent", "--show-error", "--no-buffer", "--write-out", "\nstatus %{http_code}\n"];
  const process = await host.spawn(["curl", ...options, "--data", body, url]);
  return {
    process,
    async answer() {
      const exit = await process.exited;
      const status = Number(/^status (\d+)$/m.exec(process.stdoutText)?.[1] ?? 0);
      return { exit, text: process.stdoutText, status };
    },
  };
}
