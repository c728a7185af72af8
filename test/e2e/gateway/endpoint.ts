import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLan, type Exit, type Host, type HostProcess } from "@lmserv/test-netlab";
import { temporaryFolder } from "../command/temporary-folder.ts";

const modelHost = fileURLToPath(new URL("./model-host.mjs", import.meta.url));
const gatewayHost = fileURLToPath(new URL("./gateway-host.mjs", import.meta.url));
const port = 8_000;

/** A server that announces itself, on a host of its own. */
export interface ModelHost {
  readonly host: Host;
  readonly process: HostProcess;
  /** Has it answer in another way from now on: `answer`, `wait`, `stream`, `die`, `mute`, a status; `finish` ends what waits. */
  readonly order: (line: string) => Promise<void>;
  /** Resolves when so much was asked of it in all. */
  readonly asked: (times: number) => Promise<void>;
  /** Resolves when the client of so many requests in all has left before their end. */
  readonly left: (times: number) => Promise<void>;
  readonly requests: () => number;
  /** Clients that have left so far. */
  readonly leavings: () => number;
}

/** Two servers, `a` before `b`, and the local endpoint on a third host. */
export interface Site extends AsyncDisposable {
  /** The one that runs now. */
  readonly a: ModelHost;
  readonly b: ModelHost;
  readonly gateway: GatewayHost;
  /** Starts `a` anew on its host. */
  readonly restart: () => Promise<void>;
  /** Has `a` answer, and resolves when it is first again. */
  readonly recover: () => Promise<void>;
  /** Asks at the endpoint, as a client on its host. */
  readonly ask: (...options: readonly string[]) => Promise<Client>;
}

export interface Client {
  readonly process: HostProcess;
  readonly answer: () => Promise<ClientAnswer>;
}

/** An answer that has ended. */
export interface ClientAnswer {
  readonly exit: Exit;
  readonly text: string;
  readonly status: number;
  /** Nodes that were asked, or null where none answered. */
  readonly attempts: number | null;
}

/** @param isSecure - True if `a` speaks TLS, with a certificate that the endpoint trusts. */
export async function openSite({ isSecure = false } = {}): Promise<Site> {
  const lan = await createLan({ hosts: 3 });
  const folder = await temporaryFolder();
  const [hostA, hostB, hostC] = lan.hosts;
  const pem = isSecure ? await makeCertificate(hostA, folder.path) : null;
  const startA = (): Promise<ModelHost> => startModels(hostA, "a", pem?.both);
  let a = await startA();
  const b = await startModels(hostB, "b");
  const gateway = await startGateway(hostC, { prefer: ["a"], ...(pem && { ca: pem.ca }) });
  await gateway.order("healthy a,b");
  return {
    get a() {
      return a;
    },
    b,
    gateway,
    async restart() {
      // Its port is free once it has ended.
      await a.process.exited;
      a = await startA();
    },
    async recover() {
      await a.order("answer");
      await gateway.order("healthy a");
      // An answer of its own ends the time in which it goes last for having failed.
      const { text } = await (await startClient(hostC, "--header", "x-lmserv-node: a")).answer();
      if (!text.includes("a ")) throw new Error(`a does not answer: ${text}`);
    },
    ask: (...options) => startClient(hostC, ...options),
    async [Symbol.asyncDispose]() {
      await lan[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The local endpoint of a program of its own, whose time the test has pass faster. */
export interface GatewayHost {
  readonly process: HostProcess;
  /** Resolves when an order holds: `hurry`, `steady`, `pass MS`, `healthy a,b`. */
  readonly order: (line: string) => Promise<void>;
}

/** @param options - Those of a gateway; `key` is one for all nodes. */
export async function startGateway(host: Host, options: object): Promise<GatewayHost> {
  const args = [gatewayHost, JSON.stringify(options)];
  const process = await host.spawn([globalThis.process.execPath, ...args]);
  const count = counter(process);
  return {
    process,
    async order(line) {
      const told = count(line);
      process.stdin.write(`${line}\n`);
      await told();
    },
  };
}

/** A certificate of a host's address that vouches for itself; `both` is a file that holds its key too. */
export async function makeCertificate(
  host: Host,
  folder: string,
): Promise<{ readonly file: string; readonly ca: string; readonly both: string }> {
  const [file, both] = [join(folder, "cert"), join(folder, "both")];
  const subject = ["-subj", "/CN=box", "-addext", `subjectAltName=IP:${host.address}`] as const;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", both] as const;
  await host.run(["openssl", "req", "-x509", ...key, "-out", file, ...subject]);
  const ca = await readFile(file, "utf8");
  await appendFile(both, ca);
  return { file, ca, both };
}

/** @param certificate - File with a certificate and its key, for a server with TLS. */
export async function startModels(host: Host, name: string, ...certificate: [string?]): Promise<ModelHost> {
  const args = [name, `${port}`, ...certificate.filter((file) => file !== undefined)];
  const process = await host.spawn([globalThis.process.execPath, modelHost, ...args]);
  const event = (name: string, times: number): Promise<string> =>
    nth(process, JSON.stringify({ event: name }), times);
  await event("announced", 1);
  const count = counter(process);
  return {
    host,
    process,
    async order(line) {
      const told = count(JSON.stringify({ event: line }));
      process.stdin.write(`${line}\n`);
      await told();
    },
    asked: async (times) => void (await event("asked", times)),
    left: async (times) => void (await event("left", times)),
    requests: () => process.lines.filter((line) => line === '{"event":"asked"}').length,
    leavings: () => process.lines.filter((line) => line === '{"event":"left"}').length,
  };
}

/** Resolves with the n-th line that is this one. */
function nth(process: HostProcess, text: string, times: number): Promise<string> {
  let count = 0;
  return process.line((line) => {
    if (line === text) count += 1;
    return count >= times;
  });
}

/** Waits for one more line of a text with each call. */
function counter(process: HostProcess): (text: string) => () => Promise<string> {
  const times = new Map<string, number>();
  return (text) => {
    const next = (times.get(text) ?? 0) + 1;
    times.set(text, next);
    return () => nth(process, text, next);
  };
}

const body = JSON.stringify({ model: "llama3", stream: true, messages: [{ role: "user", content: "hi" }] });

async function startClient(host: Host, ...extra: readonly string[]): Promise<Client> {
  const url = "http://127.0.0.1:8740/v1/chat/completions";
  const outcome = "\nstatus %{http_code} after %header{x-lmserv-attempts}.\n";
  const options = ["--silent", "--show-error", "--no-buffer", "--write-out", outcome];
  const process = await host.spawn(["curl", ...options, ...extra, "--data", body, url]);
  return {
    process,
    async answer() {
      const exit = await process.exited;
      const [, status, attempts] = /^status (\d+) after (\d*)\.$/m.exec(process.stdoutText) ?? [];
      return {
        exit,
        text: process.stdoutText,
        status: Number(status ?? 0),
        attempts: attempts ? Number(attempts) : null,
      };
    },
  };
}
