import {
  compareVersions,
  ed25519,
  type MemberRecord,
  type Renewal,
  readRenewal,
  type SignatureScheme,
  type VerifyOptions,
  verifyRecord,
} from "@lmserv/discovery-signing";
import type { Link } from "../link/link.ts";
import type { DialPlan } from "./dial-plan.ts";
import { type AliveEntry, type Directory, type Entry, isAlive } from "./directory.ts";
import type { FailureDetector } from "./failure-detector.ts";
import type { IndirectAcks } from "./indirect-acks.ts";
import { JoinBroadcast } from "./join-broadcast.ts";
import type { LinkBook } from "./link-book.ts";
import type { LocalRecord } from "./local-record.ts";
import type { MembershipEffects } from "./membership.ts";
import type { Digest, Message, Renewed, Told } from "./message.ts";
import { keyOf, lacksUs, passedOn, questionAbout, unknownTo, wholeDigest } from "./sync.ts";
import { maxHops } from "./timing.ts";

export interface GossipOptions extends Pick<VerifyOptions, "cluster" | "scheme"> {
  readonly directory: Directory;
  readonly links: LinkBook;
  readonly indirectAcks: IndirectAcks;
  readonly failureDetector: FailureDetector;
  readonly plan: DialPlan;
  /** Null for an observer. */
  readonly local: LocalRecord | null;
  readonly random: () => number;
  readonly effects: Pick<MembershipEffects, "alive" | "gone">;
  /** Ours. */
  readonly id: string;
  /** How much longer the member with the lesser id waits for the other one to dial. */
  readonly yieldMs: number;
  /** There is no room for another member. */
  readonly onFull: () => void;
  /** What a peer sent was not authentic. */
  readonly onForged: (peer: string) => void;
}

/** Of all who hear a goodbye each tells so many: that reaches more than 99 % of those who did not. */
const echoes = 5;

/** What members tell each other of others: taken if it is newer and authentic, and passed on to who lacks it. */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #scheme: SignatureScheme;
  readonly #joinBroadcast = new JoinBroadcast();

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#scheme = options.scheme ?? ed25519;
  }

  /** Tells a peer what we know, and has it tell us the rest. */
  compare(peer: string, answer: boolean): void {
    const { links, directory } = this.#options;
    links.sendTo(peer, wholeDigest(directory, this.#options.local, answer), "digest");
  }

  takeDigest({ peer: { id: peer } }: Link, digest: Digest, nowMs: number): void {
    const { directory, links, local } = this.#options;
    if (lacksUs(digest, this.#options.local)) local?.introduce(peer, nowMs);
    for (const entry of unknownTo(peer, digest, directory)) {
      // How far somebody's own words came does not matter to itself.
      if (entry.hops >= maxHops && entry.id !== peer) continue;
      const messages = passedOn(entry, links, nowMs);
      // A question is about a record; a renewal with it, if the record is not taken, would be the next question.
      const asked = digest.whole ? messages : messages.slice(0, 1);
      for (const message of asked) links.sendTo(peer, message, keyOf(message, entry.id));
    }
    if (digest.whole) this.#tellOf(peer, digest, nowMs);
    if (digest.answer) this.compare(peer, false);
  }

  takeRecord({ peer: { id: from } }: Link, told: Told, nowMs: number): void {
    const { cluster, directory, local, id: ownId } = this.#options;
    const isOwn = ({ id }: MemberRecord): boolean => local !== null && id === ownId;
    const isNewer = (record: MemberRecord): boolean => isOwn(record) || directory.isNewer(record);
    const verdict = verifyRecord(told.signed, { cluster, scheme: this.#scheme, isNewer });
    if (!verdict.accepted) {
      if (verdict.why !== "not-newer") this.#options.onForged(from);
      return;
    }
    const { record } = verdict;
    const { id } = record;
    if (isOwn(record)) return local?.meet(record, nowMs);
    if (from !== id && this.#isOutlived(record)) return this.#show(id, told);
    if (record.kind === "alive" && !directory.hasRoomFor(id)) return this.#options.onFull();
    this.#admit(record, told, from, nowMs);
  }

  takeRenewal(link: Link, { signed, hops, ageMs }: Renewed, nowMs: number): void {
    const { cluster, directory, failureDetector, onForged } = this.#options;
    const from = link.peer.id;
    const renewal = readRenewal(signed, cluster);
    if (!renewal) return onForged(from);
    const { id, beat } = renewal;
    const known = this.#renewed(link, renewal, nowMs);
    if (!known || !directory.isRenewedBy(id, beat)) return;
    const { text: bytes, signature } = signed;
    if (!this.#scheme.verify({ publicKey: known.signed.publicKey, bytes, signature })) return onForged(from);
    if (!directory.renew(id, beat, signed, { nowMs, hops, ageMs })) return;
    const entry = directory.get(id);
    if (!isAlive(entry)) return;
    if (known.state === "lost") {
      failureDetector.told(id, from, nowMs);
      this.#welcome(entry, from, nowMs);
    } else this.#options.effects.alive(entry);
    this.#spread(entry, from, () => false, nowMs);
  }

  /** A member is there no more: it said goodbye, or nothing says any longer that it is there. */
  remove(id: string, why: "goodbye" | "unreachable"): void {
    const { failureDetector, plan, links, indirectAcks, effects } = this.#options;
    failureDetector.release(id);
    if (why === "goodbye") plan.forget(id);
    else links.send({ type: "lost", ids: [id] }, `lost ${id}`, (peer) => indirectAcks.wants(peer, id));
    effects.gone(id, why);
  }

  /** The link to a member broke: some may know of it by us alone, and have nothing of their own that breaks. */
  unlinked(id: string, nowMs: number): void {
    const { directory, links } = this.#options;
    if (!isAlive(directory.get(id)) || !this.#joinBroadcast.isRecent(id, nowMs)) return;
    links.send({ type: "lost", ids: [id] }, `lost ${id}`);
  }

  /** Takes note of who was heard over a link meanwhile, and tells of those whose time it lengthens by enough. */
  listen(nowMs: number): void {
    const { directory, links, effects } = this.#options;
    for (const { id, record } of directory.alive()) {
      const entry = directory.hear(id, links.heardMs(id, record.instance), nowMs);
      if (entry) effects.alive(entry);
    }
  }

  /** Takes in a record that counts. */
  #admit(record: MemberRecord, { signed, hops, ageMs }: Told, from: string, nowMs: number): void {
    const { directory, indirectAcks, failureDetector } = this.#options;
    const { id } = record;
    const before = directory.get(id);
    const entry = directory.tell(record, signed, { nowMs, hops, ageMs });
    const isNew = isAlive(entry) && (!isAlive(before) || before.record.instance !== entry.record.instance);
    if (isNew) failureDetector.told(id, from, nowMs);
    if (isAlive(entry)) this.#welcome(entry, from, nowMs);
    else if (isAlive(before)) this.remove(id, isGoodbyeOf(before, record) ? "goodbye" : "unreachable");
    if (isNew && from === id) this.#joinBroadcast.begin(id, nowMs);
    // Who has no link to the one from whom it came has it from us.
    this.#spread(entry, from, (peer) => isNew && indirectAcks.wants(peer, from), nowMs);
    if (entry.state === "left") this.#echo(entry, from, nowMs);
  }

  /** A member says something new. */
  #welcome(entry: AliveEntry, from: string, nowMs: number): void {
    const { id: ownId, plan, effects, yieldMs } = this.#options;
    const { id, record } = entry;
    const delayMs = ownId > id ? 0 : yieldMs;
    plan.learn(id, record.urls, { delayMs, teller: from }, nowMs);
    effects.alive(entry);
  }

  /** What a renewal renews; nothing if the sender or we lack the latest record, which is seen to. */
  #renewed(link: Link, renewal: Renewal, nowMs: number): Entry | null {
    const { directory, links } = this.#options;
    const { id } = renewal;
    const self = this.#options.local;
    const known = directory.get(id);
    if (id === self?.id) {
      if (!self.isQuiet && compareVersions(renewal, self.moment) > 0) this.#ask(link, id);
      return null;
    }
    const later = known ? compareVersions(renewal, known.record) : 1;
    if (later > 0 && directory.hasRoomFor(id)) this.#ask(link, id);
    // Its author would not be heard for long: it has to know that more was said in its name.
    if (later < 0 && known)
      for (const message of passedOn(known, links, nowMs)) this.#show(link.peer.id, message);
    return later === 0 ? (known ?? null) : null;
  }

  /**
   * Whether the record is of another process than the one that has a link to us.
   *
   * What is there counts for more than what is merely later, as after a start with a clock that went back.
   */
  #isOutlived(record: MemberRecord): boolean {
    const [link] = this.#options.links.of(record.id);
    if (!link) return false;
    return record.kind === "left" ? record.epoch > link.peer.epoch : record.instance !== link.peer.instance;
  }

  #show(peer: string, message: Message): void {
    this.#options.links.sendTo(peer, message, `${message.type} shown`);
  }

  #ask({ peer }: Link, id: string): void {
    const { links, directory } = this.#options;
    const self = this.#options.local;
    const known = id === self?.id ? self.moment : undefined;
    links.sendTo(peer.id, questionAbout(directory, id, known), `question ${id}`);
  }

  /** Tells those of a member whom it does not know, and so does not tell itself: all, if it only just came. */
  #tellOf(id: string, { entries }: Digest, nowMs: number): void {
    const entry = this.#options.directory.get(id);
    if (!isAlive(entry) || !this.#joinBroadcast.tell(id)) return;
    const known = new Set(entries.map(([member]) => member));
    this.#spread(entry, id, (peer) => !known.has(peer), nowMs);
  }

  /** A goodbye: one who left soon after it came had not yet met everybody. */
  #echo(entry: Entry, from: string, nowMs: number): void {
    const { links, random } = this.#options;
    const isAllOurs = this.#joinBroadcast.isRecent(entry.id, nowMs);
    if (isAllOurs) return this.#spread(entry, from, () => true, nowMs);
    if (from !== entry.id) return;
    const peers = [...links.peers.keys()];
    const first = Math.floor(random() * peers.length);
    const chosen = new Set([...peers.slice(first), ...peers.slice(0, first)].slice(0, echoes));
    this.#spread(entry, from, (peer) => chosen.has(peer), nowMs);
  }

  /** Passes on the latest of a member, to those who want it and to those to whom it is news. */
  #spread(entry: Entry, from: string, isNews: (peer: string) => boolean, nowMs: number): void {
    const { links, indirectAcks } = this.#options;
    if (entry.state === "lost" || entry.hops >= maxHops) return;
    const [record, renewal] = passedOn(entry, links, nowMs);
    const isMeant = (peer: string): boolean => peer !== from && peer !== entry.id;
    const isWanted = (peer: string): boolean => isMeant(peer) && indirectAcks.wants(peer, entry.id);
    // Whoever wants a member has its record.
    const latest = renewal ?? record;
    if (latest) links.send(latest, keyOf(latest, entry.id), isWanted);
    const isMissing = (peer: string): boolean => isMeant(peer) && !isWanted(peer) && isNews(peer);
    if (record) links.send(record, keyOf(record, entry.id), isMissing);
  }
}

/** Whether it is the start that we know that says goodbye: another one's, which may be an old one, only supersedes it. */
function isGoodbyeOf({ record: known }: Entry, { kind, epoch }: MemberRecord): boolean {
  return kind === "left" && epoch === known.epoch;
}
