import type { HostProcess } from "../host-process.ts";
import type { Host } from "../lan.ts";
import { type Records, records } from "../records.ts";
import { pythonScript } from "../script.ts";

export interface OriginalNode {
  /** First label of the instance name. @default the host's name, as the original does */
  readonly name?: string;
  /** Address of its only A record. @default the host's address */
  readonly address?: string;
  /** @default 8000 */
  readonly port?: number;
  /** @default the host's name */
  readonly info?: string;
}

/** Running Python original. Disposal kills it, without a goodbye. */
export interface OriginalAnnouncer extends AsyncDisposable {
  /** Process, for a crash by `kill("SIGKILL")`. */
  readonly process: HostProcess;
  /** Ends it as SIGTERM does: goodbye, then the end. */
  readonly goodbye: () => Promise<void>;
}

/** Announces as the original does; resolves when it has probed and sends its first announcement. */
export async function announceOriginal(host: Host, node: OriginalNode = {}): Promise<OriginalAnnouncer> {
  const { name = host.name, address = host.address, port = 8000, info = host.name } = node;
  const options = [`--name=${name}`, `--address=${address}`, `--port=${port}`, `--info=${info}`];
  const script = await host.spawn(pythonScript("original_announce.py", ...options));
  await script.line((line) => line === "ready");
  return {
    process: script,
    async goodbye() {
      script.kill("SIGTERM");
      await script.exited;
    },
    [Symbol.asyncDispose]: () => script[Symbol.asyncDispose](),
  };
}

/** Event of a python-zeroconf listener; `remove` has a name and nothing else. */
export interface ZeroconfEvent {
  readonly event: "add" | "update" | "remove";
  /** Monotonic time of this machine, in ms: the scale of `process.hrtime`. */
  readonly tMs: number;
  /** Full instance name, such as `h1._lmserv._tcp.local.` */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly port: number | null;
  /** SRV target. */
  readonly server: string | null;
  /** TXT; a key without `=` has the value null, bytes that are not UTF-8 are backslash escapes. */
  readonly properties: Readonly<Record<string, string | null>>;
}

/** Running python-zeroconf browser. Disposal kills it. */
export interface ZeroconfBrowser extends Records<ZeroconfEvent>, AsyncDisposable {}

/** Browses with python-zeroconf's `ServiceBrowser`; resolves when that has started. */
export async function browseZeroconf(host: Host, type = "_lmserv._tcp.local."): Promise<ZeroconfBrowser> {
  const script = await host.spawn(pythonScript("browse.py", type));
  await script.line((line) => line === "browsing");
  const events = records(script, 1, (line) => JSON.parse(line) as ZeroconfEvent);
  return { ...events, [Symbol.asyncDispose]: () => script[Symbol.asyncDispose]() };
}
