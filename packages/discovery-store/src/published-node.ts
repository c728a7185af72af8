import type {
  Cancellable,
  Clock,
  Registration,
  ResolvedAnnouncement,
} from "@lmserv/discovery-core/transport";
import type { LocalNetwork } from "./local-network.ts";
import { isRenewalDue } from "./record-age.ts";
import type { RecordSigner } from "./record-signer.ts";
import type { Held, StoreConnection } from "./store.ts";
import { goodbye } from "./value.ts";

export interface PublishedNodeOptions {
  readonly clock: Clock;
  readonly signer: RecordSigner;
  readonly connection: StoreConnection;
  readonly localNetwork: Pick<LocalNetwork, "placeOf">;
  readonly onWithdrawn: () => void;
}

/** Time limit of a goodbye in ms; without it the node ends like a crashed one. */
const goodbyeMs = 1_000;

/** Node that this process announces, kept in the store until it is withdrawn. */
export class PublishedNode implements Registration {
  readonly #options: PublishedNodeOptions;
  #node: ResolvedAnnouncement;
  #held: Held | null = null;
  #signedMs = 0;
  #withdrawn: Promise<void> | null = null;

  constructor(node: ResolvedAnnouncement, options: PublishedNodeOptions) {
    this.#node = node;
    this.#options = options;
  }

  /** Resolves when the store has it. */
  async open({ signal }: Cancellable): Promise<void> {
    const { connection, signer } = this.#options;
    this.#held = await connection.hold(signer.keyOf(this.#node), this.#write(this.#node), { signal });
  }

  async update(changed: ResolvedAnnouncement, options: Cancellable): Promise<void> {
    const node = { ...changed, id: this.#node.id };
    const value = this.#write(node);
    this.#node = node;
    await this.#held?.put(value, options);
  }

  /** True if the value in the store needs a new signature. */
  get isDue(): boolean {
    return isRenewalDue(this.#signedMs, this.#options.clock.wall());
  }

  /** Announces the node again, with its present addresses and signing time. */
  async repeat(options: Cancellable): Promise<void> {
    if (this.#held) await this.update(this.#node, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#withdrawn ??= this.#withdraw();
    return this.#withdrawn;
  }

  async #withdraw(): Promise<void> {
    const held = this.#held;
    this.#options.onWithdrawn();
    if (!held) return;
    const ending = new AbortController();
    const cancel = this.#options.clock.schedule(goodbyeMs, () => ending.abort());
    await held.put(goodbye, ending).catch(() => {});
    cancel();
    await held[Symbol.asyncDispose]();
  }

  #write(node: ResolvedAnnouncement): string {
    this.#signedMs = this.#options.clock.wall();
    return this.#options.signer.write(node, this.#options.localNetwork.placeOf(node));
  }
}
