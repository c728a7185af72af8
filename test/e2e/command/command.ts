import { fileURLToPath } from "node:url";
import type { Command, Host, HostProcess } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));
const server = fileURLToPath(new URL("./some-server.mjs", import.meta.url));

/** The built command `lmserv` with these arguments. */
export function lmserv(...args: readonly string[]): Command {
  return [process.execPath, program, ...args];
}

/** `lmserv announce`, when the announcement has left. */
export async function announce(host: Host, ...args: readonly string[]): Promise<HostProcess> {
  const announcer = await host.spawn(lmserv("announce", ...args));
  await announcer.stderrLine((line) => line.includes("announced "));
  return announcer;
}

/** A server that answers over HTTP, and says not which one it is. */
export async function listen(host: Host, port: number): Promise<HostProcess> {
  const listener = await host.spawn([process.execPath, server, String(port)]);
  await listener.line((line) => line === "listening");
  return listener;
}

export interface ListedNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly info: string;
  readonly url: string | null;
  readonly addresses: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly server: string | null;
  readonly models: readonly string[];
  readonly health: { readonly state: string; readonly models: readonly { readonly name: string }[] } | null;
  readonly sources: readonly {
    readonly transport: string;
    readonly key: string;
    readonly trust: string;
    readonly stale: string | null;
  }[];
}

export interface Listing {
  readonly complete: boolean;
  readonly nodes: readonly ListedNode[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

export interface Discovered {
  readonly code: number | null;
  readonly listing: Listing;
}

/** Runs `lmserv discover --json` on a host to its end; the servers are not asked, since most tests have none. */
export async function discover(host: Host, ...args: readonly string[]): Promise<Discovered> {
  const { code, stdout } = await host.run(lmserv("discover", "--json", "--no-check", ...args));
  return { code, listing: JSON.parse(stdout) };
}

export interface WatchEvent {
  readonly type: "version" | "up" | "updated" | "down" | "lost" | "recovered" | "warning";
  readonly reason?: string;
  readonly node?: ListedNode;
  /** Of a warning or a loss. */
  readonly code?: string;
  readonly message?: string;
  readonly transport?: string | null;
}

export interface Watch {
  /** Resolves with the first event that fits, past or future. */
  readonly event: (fits: (event: WatchEvent) => boolean) => Promise<WatchEvent>;
  readonly events: () => readonly WatchEvent[];
  readonly process: HostProcess;
}

/** `lmserv discover --watch --json`, when it has begun; the servers are not asked. */
export function watch(host: Host, ...args: readonly string[]): Promise<Watch> {
  return watchHealth(host, "--no-check", ...args);
}

/** The same, with checks of the servers. */
export async function watchHealth(host: Host, ...args: readonly string[]): Promise<Watch> {
  return watchOf(await host.spawn(lmserv("discover", "--watch", "--json", ...args)));
}

/** What a `lmserv discover --watch --json` prints, once it has begun. */
export async function watchOf(process: HostProcess): Promise<Watch> {
  await process.line((line) => line.includes('"version"'));
  const read = (line: string): WatchEvent => JSON.parse(line);
  return {
    process,
    events: () => process.lines.map(read),
    event: async (fits) => read(await process.line((line) => fits(read(line)))),
  };
}
