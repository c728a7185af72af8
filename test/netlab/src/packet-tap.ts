import type { Place } from "./place.ts";
import { type Records, records } from "./records.ts";
import { pythonScript } from "./script.ts";

/** UDP datagram from or to port 5353, as it was on the wire. */
export interface Packet {
  /** Monotonic time of this machine, in ms: the scale of `process.hrtime`. */
  readonly tMs: number;
  /** True if the tapped host sent it. */
  readonly outgoing: boolean;
  readonly srcMac: string;
  readonly dstMac: string;
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** True for the first of several IP fragments: `payload` is incomplete. Further fragments are left out. */
  readonly fragment: boolean;
  readonly payload: Buffer;
}

/** Packets on an interface, recorded without any code of the product. Disposal stops it. */
export interface PacketTap extends Records<Packet>, AsyncDisposable {
  /** Stops and returns all packets; rejects when the kernel dropped any, since a count would be wrong. */
  readonly stop: () => Promise<readonly Packet[]>;
}

/**
 * Records UDP port 5353 on the interface of a host or, with each multicast once, of the switch.
 *
 * Resolves when it is listening. Needs root inside the LAN, which every process there has.
 */
export async function packetTap(place: Place): Promise<PacketTap> {
  const script = await place.spawn(pythonScript("tap.py", place.interface));
  await script.line((line) => line === "tapping");
  const packets = records(script, 1, parsePacket);

  async function stop(): Promise<readonly Packet[]> {
    script.stdin.end();
    const { code } = await script.exited;
    if (code !== 0) throw new Error(`The tap on ${place.name} failed: ${script.stderrText.trim()}`);
    return packets.all();
  }

  return { ...packets, stop, [Symbol.asyncDispose]: () => script[Symbol.asyncDispose]() };
}

function parsePacket(line: string): Packet {
  const packet = JSON.parse(line) as Omit<Packet, "payload"> & { readonly payload: string };
  return { ...packet, payload: Buffer.from(packet.payload, "base64") };
}
