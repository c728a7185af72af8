import { fileURLToPath } from "node:url";
import type { Host, HostProcess, Place } from "@lmserv/test-netlab";
import type { ListedNode, Listing } from "../command/command.ts";

const program = fileURLToPath(new URL("./server.mjs", import.meta.url));

/** A sort of program that a host of a LAN may run. */
export type Sort = "lmserv" | "ollama" | "slow" | "document" | "web" | "mute" | "endless" | "flood";

/** Runs one on a host; resolves when it listens. */
export async function serve(host: Host, sort: Sort, port: number): Promise<HostProcess> {
  const server = await host.spawn([process.execPath, program, sort, String(port)]);
  await server.line((line) => line === "listening");
  return server;
}

/** Identified node in the output of `lmserv discover --json`. */
export interface IdentifiedNode extends ListedNode {
  readonly server: string | null;
  readonly models: readonly string[];
}

export function nodesOf({ nodes }: Pick<Listing, "nodes">): readonly IdentifiedNode[] {
  // The command prints more of a node than most tests look at.
  return nodes as readonly IdentifiedNode[];
}

/** `10.77.0.2:8000`, in the order of the addresses. */
export function endpointsOf({ nodes }: Pick<Listing, "nodes">): string[] {
  return nodes.map(({ host, port }) => `${host}:${port}`).sort();
}

/** The transports that know each node, by its endpoint. */
export function transportsOf({ nodes }: Pick<Listing, "nodes">): Record<string, string[]> {
  return Object.fromEntries(
    nodes.map(({ host, port, sources }) => [
      `${host}:${port}`,
      [...new Set(sources.map(({ transport }) => transport))].sort(),
    ]),
  );
}

/** Fill level of the kernel's table of IPv4 neighbors, which all namespaces share. */
export async function tableLoad(
  place: Place,
): Promise<{ entries: number; refusals: number; clearings: number }> {
  const { stdout } = await place.run(["ip", "-s", "ntable", "show", "name", "arp_cache"]);
  const number = (name: string): number => Number(new RegExp(`${name} (\\d+)`).exec(stdout)?.[1]);
  return { entries: number("entries"), refusals: number("table_fulls"), clearings: number("forced_gc_runs") };
}
