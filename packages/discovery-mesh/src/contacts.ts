import type { TransportContext } from "@lmserv/discovery-core";
import type { AliveEntry } from "./membership/directory.ts";
import type { KnownPeer, PeerFile } from "./peer-file.ts";
import { type Names, resolveSeed, type Seed } from "./seeds.ts";

export interface ContactsOptions {
  readonly context: Pick<TransportContext, "clock" | "log">;
  readonly names: Names;
  readonly seeds: readonly Seed[];
  /** Null for who remembers nobody. */
  readonly peerFile: PeerFile | null;
  /** A name that leads nowhere, and why. */
  readonly onMiss: (name: string, reason: string) => void;
}

/** Where to look for members: seeds, and members that we met before. */
export class Contacts {
  readonly #options: ContactsOptions;
  readonly #remembered = new Map<string, KnownPeer>();
  /** What a name led to last holds until it leads elsewhere. */
  readonly #resolved = new Map<Seed, readonly string[]>();

  constructor(options: ContactsOptions) {
    this.#options = options;
  }

  /** Whether there is nobody to begin with. */
  get isEmpty(): boolean {
    return this.#options.seeds.length === 0 && this.#remembered.size === 0;
  }

  /** Those that the file remembers. */
  async recall(): Promise<readonly KnownPeer[]> {
    const { peerFile, context } = this.#options;
    const peers = (await peerFile?.read(context.clock.wall())) ?? [];
    for (const peer of peers) this.#remembered.set(peer.id, peer);
    return peers;
  }

  /** A member is to be found there. */
  remember(id: string, urls: readonly string[]): void {
    if (urls.length === 0) return;
    this.#remembered.set(id, { id, urls, seenMs: this.#options.context.clock.wall() });
  }

  /** What the seeds lead to now. */
  async urls(): Promise<readonly string[]> {
    const resolved = await Promise.all(this.#options.seeds.map((seed) => this.#resolve(seed)));
    return [...new Set(resolved.flat())];
  }

  /** Writes down those that are there, and those remembered. */
  async save(members: readonly AliveEntry[]): Promise<void> {
    const { peerFile, context } = this.#options;
    for (const { id, record } of members) this.remember(id, record.urls);
    try {
      await peerFile?.write([...this.#remembered.values()], context.clock.wall());
    } catch (error) {
      context.log("debug", "the peers could not be written down", { error });
    }
  }

  async #resolve(seed: Seed): Promise<readonly string[]> {
    const { names, onMiss } = this.#options;
    try {
      const urls = await resolveSeed(seed, names);
      if (urls.length > 0) this.#resolved.set(seed, urls);
    } catch (error) {
      const name = seed.kind === "srv" ? seed.name : seed.url;
      onMiss(name, error instanceof Error ? error.message : String(error));
    }
    return this.#resolved.get(seed) ?? [];
  }
}
