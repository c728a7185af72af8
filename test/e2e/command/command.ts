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
  /** Event of a line of the process, or null for one that has none. */
  readonly read: (line: string) => WatchEvent | null;
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

/** Output of `lmserv discover --watch --json`, once it has begun. */
export async function watchOf(process: HostProcess): Promise<Watch> {
  await process.line((line) => line.includes('"version"'));
  return watchThrough(process, (line) => JSON.parse(line));
}

/** List of `lmserv up` on a host, as a browser there gets it from the endpoint. */
export async function endpointEvents(host: Host): Promise<Watch> {
  const url = "http://127.0.0.1:8740/lmserv/events";
  const process = await host.spawn(["curl", "--silent", "--no-buffer", url]);
  return watchThrough(process, (line) => (line.startsWith("data: ") ? JSON.parse(line.slice(6)) : null));
}

function watchThrough(process: HostProcess, read: Watch["read"]): Watch {
  return {
    process,
    read,
    events: () => process.lines.flatMap((line) => read(line) ?? []),
    event: async (fits) => {
      const line = await process.line((text) => {
        const event = read(text);
        return event !== null && fits(event);
      });
      return read(line) as WatchEvent; // Of a line that has one.
    },
  };
}
