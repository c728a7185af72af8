import { type Heard, read } from "@lmserv/test-netlab/raw-peer";
import { mdnsGroups, mdnsPort } from "../../src/link/link.ts";
import type { Heard as Carried, Segment } from "../segment.ts";
import type { VirtualHost } from "./host.ts";
import { type Playback, patienceMs } from "./playback.ts";

export interface Shot {
  /** IPv4 or IPv6 address. @default the IPv4 group */
  readonly to?: string;
  /** @default 5353 */
  readonly fromPort?: number;
  /** @default the host's own of the same family as `to` */
  readonly from?: string;
}

export interface Search {
  /** Only packets later than this, in ms. @default all */
  readonly afterMs?: number;
  /** Virtual time in ms. @default 10 minutes */
  readonly timeoutMs?: number;
}

/**
 * mDNS host without the code under test: it sends given packets and hears everything on the link.
 *
 * It encodes and decodes with `dns-packet`.
 */
export class VirtualPeer {
  readonly host: VirtualHost;
  readonly #segment: Segment;
  readonly #playback: Playback;
  readonly #read = new Map<Carried, Heard | null>();

  constructor(host: VirtualHost, segment: Segment, playback: Playback) {
    this.host = host;
    this.#segment = segment;
    this.#playback = playback;
  }

  /** Sends a datagram; resolves with the time of sending. */
  async send(payload: Uint8Array, shot: Shot = {}): Promise<number> {
    const { to = mdnsGroups.IPv4, fromPort = mdnsPort } = shot;
    const own = to.includes(":") ? `${this.host.linkLocal}%${this.host.interface}` : this.host.address;
    this.#segment.inject(payload, shot.from ?? own, fromPort, { address: to, port: mdnsPort });
    return this.#playback.nowMs();
  }

  /** Packets of a host, oldest first. */
  heard(from: string, afterMs: number = Number.NEGATIVE_INFINITY): readonly Heard[] {
    return this.#segment.heard
      .filter((carried) => isFrom(carried, from) && carried.atMs > afterMs)
      .flatMap((carried) => this.#readOnce(carried) ?? []);
  }

  /** Resolves with the first past or future packet of a host that fits; `fits` is called once for each. */
  async find(from: string, fits: (heard: Heard) => boolean, search: Search = {}): Promise<Heard> {
    const { afterMs = Number.NEGATIVE_INFINITY, timeoutMs = patienceMs } = search;
    let at = 0;
    let found: Heard | null = null;
    const isFound = (): boolean => {
      for (; !found && at < this.#segment.heard.length; at += 1) {
        const carried = this.#segment.heard[at];
        if (!carried || !isFrom(carried, from) || carried.atMs <= afterMs) continue;
        const heard = this.#readOnce(carried);
        if (heard && fits(heard)) found = heard;
      }
      return found !== null;
    };
    await this.#playback.wait(isFound, timeoutMs);
    if (found) return found;
    const story = this.#segment.heard.filter(({ atMs }) => atMs > afterMs).map(summaryOf);
    throw new Error([`${from} said nothing that fits within ${timeoutMs} ms`, ...story].join("\n"));
  }

  /** Packets of a host that the codec cannot decode. */
  unreadable(from: string): readonly Uint8Array[] {
    return this.#segment.heard
      .filter((carried) => isFrom(carried, from) && this.#readOnce(carried) === null)
      .map(({ bytes }) => bytes);
  }

  #readOnce(carried: Carried): Heard | null {
    const known = this.#read.get(carried);
    if (known !== undefined) return known;
    const { atMs, from, to } = carried;
    const payload = Buffer.from(carried.bytes);
    const message = read(payload);
    const [src, dst] = [bare(from.address), bare(to.address)];
    const heard = message && { tMs: atMs, src, dst, sport: from.port, dport: to.port, payload, message };
    this.#read.set(carried, heard);
    return heard;
  }
}

function isFrom({ from }: Carried, address: string): boolean {
  return bare(from.address) === address;
}

function bare(address: string): string {
  return address.split("%")[0] ?? "";
}

function summaryOf({ atMs, from, to, bytes }: Carried): string {
  const message = read(Buffer.from(bytes));
  const asked = message?.questions.map(({ name, type, unicast }) => `${name} ${type}${unicast ? " QU" : ""}`);
  const said = message && [...message.answers, ...message.authorities, ...message.additionals];
  const records = said?.map(({ name, type, ttlS }) => `${name} ${type} ${ttlS} s`);
  const about = [...(asked ?? []), ...(records ?? [])].join(", ").slice(0, 300);
  const kind = message ? (message.response ? "R" : "Q") : "?";
  return `${atMs.toFixed(3)} ${from.address}:${from.port} -> ${to.address}:${to.port} ${kind} ${about}`;
}
