import { fileURLToPath } from "node:url";
import { type Command, type Host, missingPeers, startAvahi } from "@lmserv/test-netlab";
import { turnstile } from "../harness/turnstile.ts";
import { type PeerProcess, peerProcess } from "./peer-process.ts";

export type PeerName =
  | "lmserv"
  | "lmserv-health"
  | "bonjour-service"
  | "ciao"
  | "dnssd"
  | "python-zeroconf"
  | "avahi"
  | "multicast-dns"
  | "nothing";

/** A host on which programs of one peer can be started. */
export interface PeerHost {
  readonly peer: PeerName;
  readonly host: Host;
  /** Starts a peer program; resolves when it waits for commands. */
  readonly start: () => Promise<PeerProcess>;
}

/** Two cores that start dozens of programs at once finish none in time. */
const starts = turnstile(4);

/** Makes a host ready for programs of the peer: avahi needs its daemon there, the others nothing. */
export async function settle(peer: PeerName, host: Host): Promise<PeerHost> {
  if (peer === "avahi") await startAvahi(host);
  // Bus of the host's avahi-daemon in the fixture.
  const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=/run/avahi-${host.name}/bus` };
  const command = commandOf(peer, host.address);
  return { peer, host, start: () => starts(async () => peerProcess(await host.spawn(command, { env }))) };
}

/** Reason why the peer cannot take part on this machine, or null. */
export async function absence(peer: PeerName): Promise<string | null> {
  if (peer !== "python-zeroconf" && peer !== "avahi") return null;
  const missing = await missingPeers([peer]);
  return missing.length === 0 ? null : `absent: ${missing.join(", ")} not installed`;
}

/** Debian's interpreter, which finds Debian's zeroconf. */
const python = "/usr/bin/python3";

function commandOf(peer: PeerName, address: string): Command {
  if (peer === "python-zeroconf") return [python, script("zeroconf_peer.py"), address];
  if (peer === "avahi") return [python, script("avahi_peer.py"), address];
  return [process.execPath, fileURLToPath(import.meta.resolve(`@lmserv/bench/mdns/peers/${peer}`)), address];
}

function script(name: string): string {
  return fileURLToPath(new URL(`../../src/mdns/peers/${name}`, import.meta.url));
}
