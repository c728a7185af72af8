import { seededRandom } from "@lmserv/discovery-testkit";
import { hostileText, readsHostile } from "@lmserv/test-hostile";
import fc, { type Arbitrary } from "fast-check";
import type { Link, PeerHello } from "../src/link/link.ts";
import { Membership } from "../src/membership/membership.ts";
import { plainIdentity } from "./link/plain-member.ts";

const maxPeers = 8;
const cluster = "home";
/** Members of the mesh that are linked to the reader, and say what they like; each signs for itself. */
const peers = Array.from({ length: 4 }, () => plainIdentity());
/** Members that only exist in the words of those. */
const others = Array.from({ length: 12 }, () => plainIdentity());
type Author = (typeof peers)[number];

function signed(author: Author, text: string): { readonly text: string; readonly signature: string } {
  return { text, signature: author.sign(Buffer.from(text)) };
}

const instance = "0123456789abcdef";

function recordOf({ id }: Author, seq: number): string {
  const node = { id, port: 8_000, info: "box", models: ["a"], attributes: { gpu: "H100" } };
  const urls = ["ws://192.0.2.7:7946", "wss://host.example"];
  return JSON.stringify({
    ...{ kind: "alive", cluster, id, epoch: 1_000, seq, ttlMs: 5_000, instance },
    ...{ addresses: ["192.0.2.7"], urls, nodes: [node] },
  });
}

/** What an author signs is hostile itself; the signature is right. */
const told: Arbitrary<string> = fc
  .record({ author: fc.constantFrom(...peers, ...others), seq: fc.integer({ min: 1, max: 50 }) })
  .chain(({ author, seq }) => {
    const left = JSON.stringify({ kind: "left", cluster, id: author.id, epoch: 1_000, seq, ttlMs: 5_000 });
    const renewal = JSON.stringify({ kind: "renewal", cluster, id: author.id, epoch: 1_000, seq, beat: seq });
    const { publicKey } = author;
    const records = hostileText(fc.constantFrom(recordOf(author, seq), left)).map((text) =>
      JSON.stringify({ type: "record", signed: { ...signed(author, text), publicKey }, hops: 1, ageMs: 0 }),
    );
    const renewals = hostileText(fc.constant(renewal)).map((text) =>
      JSON.stringify({ type: "renewal", signed: signed(author, text), hops: 1, ageMs: 0 }),
    );
    return fc.oneof({ weight: 3, arbitrary: records }, { weight: 1, arbitrary: renewals });
  });

const ids = [...peers, ...others].map(({ id }) => id);
const list = fc.constantFrom(
  JSON.stringify({ type: "digest", entries: ids.map((id) => [id, 1, 1, 1]), whole: true, answer: true }),
  JSON.stringify({ type: "relay", ids }),
  JSON.stringify({ type: "relay", ids: "all" }),
  JSON.stringify({ type: "vouching", ids }),
  JSON.stringify({ type: "lost", ids }),
);
const message = fc.oneof({ weight: 3, arbitrary: told }, hostileText(told), hostileText(list));

class PlainLink implements Link {
  readonly peer: PeerHello;
  readonly dialed = false;
  readonly url = null;
  readonly remoteAddress = "192.0.2.7";
  readonly observedAddress = null;
  heardMs = 0;
  isOpen = true;

  constructor({ id, publicKey }: Author) {
    this.peer = { id, publicKey, epoch: 1_000, instance, role: "member", advertise: [] };
  }

  send(): void {}

  async close(): Promise<void> {
    this.isOpen = false;
  }

  terminate(): void {
    this.isOpen = false;
  }
}

readsHostile("messages of the mesh", {
  inputs: fc.record({ from: fc.nat(peers.length - 1), text: message, waitMs: fc.nat(200) }),
  // Members, and links to those that say all this.
  maxKept: maxPeers + peers.length,
  open: () => {
    const me = plainIdentity();
    let nowMs = 0;
    const membership = new Membership({
      ...{ id: me.id, instance: "fedcba9876543210", own: null, cluster },
      ...{ random: seededRandom(1), maxPeers, startMs: 0 },
      effects: { dial: () => {}, alive: () => {}, gone: () => {}, problem: () => {}, dropped: () => {} },
    });
    const links = new Map<number, PlainLink>();
    const linkOf = (index: number): PlainLink => {
      const link = links.get(index);
      if (link?.isOpen) return link;
      const [first] = peers;
      const next = new PlainLink(peers[index] ?? first ?? plainIdentity());
      if (link) membership.linkDown(link, { kind: "reset" }, nowMs);
      links.set(index, next);
      membership.linkUp(next, nowMs);
      return next;
    };
    return {
      kept: () => membership.members().length + membership.links().length,
      read: ({ from, text, waitMs }) => {
        nowMs += waitMs;
        const link = linkOf(from);
        link.heardMs = nowMs;
        membership.received(link, text, nowMs);
        membership.nextMs(nowMs);
        membership.tick(nowMs, nowMs);
      },
    };
  },
});
