import { DiscoveryError } from "@lmserv/discovery-core";
import type { TransportContext } from "@lmserv/discovery-core/transport";
import { followCandidates } from "./candidates.ts";
import type { Link } from "./link/link.ts";
import type { Refusal } from "./link/refusal.ts";
import type { Membership } from "./membership/membership.ts";
import type { KnownPeer, PeerFile } from "./peer-file.ts";
import { resolveSeed, type Seed } from "./seeds.ts";
import { Silence } from "./silence.ts";

export interface SearchOptions {
  /** Name of the transport. */
  readonly name: string;
  readonly role: "member" | "observer";
  readonly seeds: readonly Seed[];
  /** Null for who remembers nobody. */
  readonly peerFile: PeerFile | null;
  /** Whether nodes that other transports find are dialled. */
  readonly candidates: boolean;
  /** Whether nothing that nobody signed leads to unencrypted links. */
  readonly secure: boolean;
}

/** Has the membership do something now. */
export type Act = (run: (membership: Membership, nowMs: number) => void) => void;

/** How often names are resolved: more often while there is nobody. */
const lookMs = { alone: 5_000, linked: 60_000 };
/** Members may all be away for so long, as when one is restarted. */
const patienceMs = 60_000;

/** Looks for members to dial: at seeds, where they were before, and among what other transports find. */
export class Search {
  readonly #context: TransportContext;
  readonly #options: SearchOptions;
  readonly #membership: Membership;
  readonly #act: Act;
  readonly #silence = new Silence();
  readonly #remembered = new Map<string, KnownPeer>();
  /** What a name led to last holds until it leads elsewhere. */
  readonly #resolved = new Map<Seed, readonly string[]>();
  /** How many connections came with another key, or for another cluster. */
  #turnedAway = 0;
  /** Since when there is no link, as far as was looked. */
  #aloneSinceMs: number | null = null;
  #begun: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #cancel: () => void = () => {};
  #unfollow: () => void = () => {};

  constructor(context: TransportContext, options: SearchOptions, membership: Membership, act: Act) {
    this.#context = context;
    this.#options = options;
    this.#membership = membership;
    this.#act = act;
  }

  /** Begins; resolves with whether there is anybody to begin with. */
  begin(): Promise<boolean> {
    const begun = this.#begin();
    this.#begun = begun;
    return begun;
  }

  met({ peer }: Link): void {
    this.#silence.end();
    if (peer.role === "member") this.#remember(peer.id, peer.advertise);
  }

  /** A URL was dialled in vain. */
  missed(url: string, { reason, message }: Refusal): void {
    if (reason !== "self") this.#silence.miss(url, reason, message);
  }

  /** A connection was refused. */
  refused({ reason }: Refusal): void {
    if (reason === "wrong-key" || reason === "other-cluster") this.#turnedAway += 1;
  }

  /** Says why no member is reached, unless that was said a short time ago. */
  reportSilence(): void {
    const { name: via, role } = this.#options;
    const reason = this.#silence.reason({
      turnedAway: this.#turnedAway,
      knowsNobody: role === "observer" && this.#isEmpty,
      nowMs: this.#context.clock.now(),
    });
    if (reason === null) return;
    const message = `no member of the mesh was reached: ${reason}`;
    this.#context.report(new DiscoveryError("NO_ANSWER", message, { via }));
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel();
    this.#unfollow();
  }

  /** Writes down those that are there, and those remembered; not before the file was read. */
  async save(): Promise<void> {
    const members = this.#membership.members();
    await this.#begun;
    for (const { id, record } of members) this.#remember(id, record.urls);
    const { clock, log } = this.#context;
    try {
      await this.#options.peerFile?.write([...this.#remembered.values()], clock.wall());
    } catch (error) {
      log("debug", "the peers could not be written down", { error });
    }
  }

  /** Whether there is nobody to begin with. */
  get #isEmpty(): boolean {
    return this.#options.seeds.length === 0 && this.#remembered.size === 0;
  }

  async #begin(): Promise<boolean> {
    const peers = (await this.#options.peerFile?.read(this.#context.clock.wall())) ?? [];
    for (const peer of peers) this.#remembered.set(peer.id, peer);
    if (this.#isOver) return false;
    this.#act((membership, nowMs) => {
      for (const { id, urls } of peers) membership.remember(id, urls, nowMs);
    });
    const isHelped = this.#follow();
    void this.#look();
    return isHelped || !this.#isEmpty;
  }

  /** Dials whom other transports find; false where there are none. */
  #follow(): boolean {
    const { follow } = this.#context;
    const { candidates, name, secure } = this.#options;
    if (!candidates || !follow) return false;
    const onChange = (urls: readonly string[]): void =>
      this.#act((membership, nowMs) => membership.suggest(urls, nowMs));
    this.#unfollow = followCandidates({ follow, name, secure, onChange });
    return true;
  }

  /** Looks up where to dial, and comes back. */
  async #look(): Promise<void> {
    const { clock } = this.#context;
    const nowMs = clock.now();
    const isAlone = this.#membership.links().length === 0;
    this.#cancel = clock.schedule(isAlone ? lookMs.alone : lookMs.linked, () => void this.#look());
    this.#aloneSinceMs = isAlone ? (this.#aloneSinceMs ?? nowMs) : null;
    if (this.#aloneSinceMs !== null && nowMs - this.#aloneSinceMs >= patienceMs) this.reportSilence();
    const resolved = await Promise.all(this.#options.seeds.map((seed) => this.#resolve(seed)));
    if (this.#isOver) return;
    this.#act((membership, resolvedMs) => membership.seed([...new Set(resolved.flat())], resolvedMs));
    await this.save();
  }

  async #resolve(seed: Seed): Promise<readonly string[]> {
    try {
      const urls = await resolveSeed(seed);
      if (urls.length > 0) this.#resolved.set(seed, urls);
    } catch (error) {
      const name = seed.kind === "srv" ? seed.name : seed.url;
      this.#silence.miss(name, "unresolved", error instanceof Error ? error.message : String(error));
    }
    return this.#resolved.get(seed) ?? [];
  }

  #remember(id: string, urls: readonly string[]): void {
    if (urls.length > 0) this.#remembered.set(id, { id, urls, seenMs: this.#context.clock.wall() });
  }
}
