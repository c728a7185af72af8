import { isIP } from "node:net";
import { isLoopback, isPort, maxInfoBytes, type SeenNode } from "@lmserv/discovery-core/transport";

/** A line of the file. */
export interface Host {
  readonly address: string;
  readonly port: number;
  readonly info: string;
}

/** Reads `192.168.1.20 8000 gpu-box-01` a line; what is nothing of the kind is left out and counted. */
export function parseHosts(
  text: string,
  maxHosts: number,
): { readonly hosts: readonly Host[]; readonly dropped: number } {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const hosts = lines.flatMap((line) => parseHost(line) ?? []).slice(0, maxHosts);
  return { hosts, dropped: lines.length - hosts.length };
}

function parseHost(line: string): Host | null {
  const [, address = "", digits = "", info = ""] = /^(\S+) +(\d{1,5})(?: +(.*))?$/.exec(line.trim()) ?? [];
  const port = Number(digits);
  if (isIP(address) === 0 || !isPort(port) || new TextEncoder().encode(info).length > maxInfoBytes)
    return null;
  return { address, port, info };
}

/** The file names the host; no packet has proven it. */
export function nodeOf({ address, port, info }: Host): SeenNode {
  return {
    id: null,
    trust: "identified",
    port,
    scheme: "http",
    info,
    addresses: [{ address, reach: isLoopback(address) ? "loopback" : "routed" }],
    hostname: null,
    path: null,
    server: null,
    apis: [],
    models: [],
    auth: null,
    attributes: {},
  };
}
