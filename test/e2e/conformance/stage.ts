import { createLan, type Host } from "@lmserv/test-netlab";
import { type Heard, query, type RawPeer, rawPeer, type Tapped } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";

export const serviceType = "_lmserv._tcp.local";
/** A subnet that lies over the same link (RFC 6762 section 11). */
export const overlaid = "192.0.2.9";

/** Of Ethernet, less the headers of IP and UDP. */
const maxPayloadBytes = { IPv4: 1_500 - 28, IPv6: 1_500 - 48 } as const;

/** A LAN with the host under test and a raw peer. */
export interface Stage {
  /** Runs what is tested. */
  readonly host: Host;
  readonly peer: RawPeer;
  /** For whatever else a case needs. */
  readonly third: Host;
}

/** The body of a test: sets the stage, plays, and holds every packet of the host under test to the rules. */
export function staged(play: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    await using lan = await createLan({ hosts: 3 });
    const [host, second, third] = lan.hosts;
    const peer = await rawPeer(second);
    await play({ host, third, peer });
    expect(faultsOf(peer, host)).toEqual([]);
  };
}

/** Faults in the way in which packets left a host. */
function faultsOf(peer: RawPeer, { address, linkLocal }: Host): readonly string[] {
  const packets = [address, linkLocal].flatMap((source) => peer.heard(source));
  return packets.flatMap((packet) => envelopeFaults(packet).map((fault) => `to ${packet.dst}: ${fault}`));
}

function envelopeFaults({ sport, dst, dport, ttl, fragment, payload }: Tapped): string[] {
  const max = maxPayloadBytes[dst.includes(":") ? "IPv6" : "IPv4"];
  return [
    ...(sport === 5353 ? [] : [`leaves from port ${sport}`]),
    ...(isMulticast(dst) && dport !== 5353 ? ["goes to the group on another port"] : []),
    ...(ttl === 255 ? [] : [`has IP TTL ${ttl}`]),
    ...(fragment || payload.length > max ? [`takes ${payload.length} bytes`] : []),
  ];
}

/** Gives a host an address of another subnet of the same link, which the host under test knows the way to. */
export async function overlay(far: Host, host: Host): Promise<RawPeer> {
  await far.run(["ip", "addr", "add", `${overlaid}/24`, "dev", far.interface]);
  await host.run(["ip", "route", "add", "192.0.2.0/24", "dev", host.interface]);
  return await rawPeer(far);
}

/** A program that is not ours holds the host's port 5353. */
export async function sharePort(host: Host): Promise<void> {
  const foreign = await rawPeer(host);
  await foreign.send(query({ questions: [{ name: "_foreign._tcp.local", type: "PTR" }] }));
}

/** True if a packet announces a service: an unsolicited response with its SRV record. */
export function isAnnouncement({ message }: Heard): boolean {
  const has = (type: string): boolean => message.answers.some((record) => record.type === type);
  return message.response && has("PTR") && has("SRV");
}

/** The instance that a host announces first. */
export async function announcedBy({ peer }: Stage, { address }: Host): Promise<string> {
  const { message } = await peer.find(address, isAnnouncement);
  return message.answers.find(({ type }) => type === "SRV")?.name ?? "";
}

/** True if a packet answers with the SRV record alone. */
export function isLocation({ message }: Heard): boolean {
  return message.response && message.answers.every(({ type }) => type === "SRV");
}

export function isMulticast(address: string): boolean {
  return address === "224.0.0.251" || address === "ff02::fb";
}
