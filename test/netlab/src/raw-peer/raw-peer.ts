import type { Host } from "../lan.ts";
import { packetGun, type Shot } from "../packet-gun.ts";
import { type Packet, packetTap } from "../packet-tap.ts";
import { type Heard, read } from "./message.ts";

/** Readable packet, as it was on the wire. */
export type Tapped = Packet & Heard;

export interface Search {
  /** Only packets later than this, on the tap's clock. @default all */
  readonly afterMs?: number;
  /** @default 10_000 */
  readonly timeoutMs?: number;
}

/** mDNS host made of a socket and a tap: it sends given packets and answers nothing. */
export interface RawPeer extends AsyncDisposable {
  readonly host: Host;
  /** Sends a datagram, to the IPv4 group by default; resolves with the time of sending. */
  readonly send: (payload: Uint8Array, shot?: Shot) => Promise<number>;
  /** Packets of the other host, sorted by time. */
  readonly heard: (from: Source, afterMs?: number) => readonly Tapped[];
  /** Resolves with the first past or future packet of the other host that fits. */
  readonly find: (from: Source, fits: (heard: Tapped) => boolean, search?: Search) => Promise<Tapped>;
  /** Unreadable packets so far, except those of this peer. */
  readonly unreadable: () => readonly Packet[];
}

/** Source address of a packet. */
export type Source = string;

/** Makes a host of the LAN a raw peer, which hears everything on the link. */
export async function rawPeer(host: Host): Promise<RawPeer> {
  const [tap, gun] = await Promise.all([packetTap(host), packetGun(host)]);
  const seen = new Map<Packet, Tapped | null>();
  const heardAs = (packet: Packet): Tapped | null => {
    const known = seen.get(packet);
    if (known !== undefined) return known;
    const message = read(packet.payload);
    const heard = message && { ...packet, message };
    seen.set(packet, heard);
    return heard;
  };
  let sent = 0;

  return {
    host,
    async send(payload, shot) {
      sent += 1;
      const index = sent;
      await gun.fire(payload, shot);
      let count = 0;
      const { tMs } = await tap.find(({ outgoing }) => outgoing && ++count === index);
      return tMs;
    },
    heard: (from, afterMs = Number.NEGATIVE_INFINITY) =>
      tap
        .all()
        .filter(({ src, tMs, outgoing }) => !outgoing && src === from && tMs > afterMs)
        .flatMap((packet) => heardAs(packet) ?? []),
    async find(from, fits, { afterMs = Number.NEGATIVE_INFINITY, timeoutMs = 10_000 } = {}) {
      const matches = (packet: Packet): boolean => {
        if (packet.outgoing || packet.src !== from || packet.tMs <= afterMs) return false;
        const heard = heardAs(packet);
        return heard !== null && fits(heard);
      };
      const packet = await tap.find(matches, { timeoutMs }).catch(() => {
        const story = tap
          .all()
          .filter(({ tMs }) => tMs > afterMs)
          .map(summaryOf);
        throw new Error([`${from} said nothing that fits within ${timeoutMs} ms`, ...story].join("\n"));
      });
      return { ...packet, message: read(packet.payload) ?? never(packet) };
    },
    unreadable: () => tap.all().filter((packet) => !packet.outgoing && heardAs(packet) === null),
    async [Symbol.asyncDispose]() {
      await Promise.all([tap[Symbol.asyncDispose](), gun[Symbol.asyncDispose]()]);
    },
  };
}

function summaryOf({ tMs, src, dst, dport, payload }: Packet): string {
  const message = read(payload);
  const asked = message?.questions.map(({ name, type, unicast }) => `${name} ${type}${unicast ? " QU" : ""}`);
  const said = message && [...message.answers, ...message.authorities, ...message.additionals];
  const records = said?.map(({ name, type, ttlS }) => `${name} ${type} ${ttlS} s`);
  const about = [...(asked ?? []), ...(records ?? [])].join(", ").slice(0, 300);
  const kind = message ? (message.response ? "R" : "Q") : "?";
  return `${tMs.toFixed(1)} ${src} -> ${dst}:${dport} ${kind} ${about}`;
}

function never(packet: Packet): never {
  throw new Error(`a packet from ${packet.src} was readable a moment ago`);
}
