import { DiscoveryError } from "@lmserv/discovery-core";
import {
  type BrowseQuery,
  type Cancellable,
  type Observation,
  observationStream,
  type Registration,
  Reminder,
  type ResolvedAnnouncement,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { isSameStack } from "@lmserv/discovery-network";
import { type AliveRecord, copiedKeyAdvice, type Identity } from "@lmserv/discovery-signing";
import { Directory } from "./directory.ts";
import { LocalNetwork, type Platform } from "./local-network.ts";
import { PublishedNode } from "./published-node.ts";
import { RecordSigner } from "./record-signer.ts";
import type { StoreConnection } from "./store.ts";
import type { Refusal } from "./value.ts";

export interface SessionOptions {
  readonly name: string;
  readonly cluster: string;
  readonly lifetimeMs: number;
  readonly identity: Identity;
  /** Null for the machine's own. */
  readonly addresses: readonly string[] | null;
  readonly maxNodes: number;
}

/** Interval at which this machine's addresses and the store's values are checked, in ms. */
const refreshMs = 15_000;
/** Announcers that were cut off with us try again at least every 5 s. */
const minAbsenceMs = 10_000;
/** Bound on announced nodes: a rack of servers behind one gateway; more need several sessions. */
const maxPublishedNodes = 1_000;

/** Session of one process in a fleet: reads the store's announcements, and keeps its own in the store. */
export class StoreSession implements TransportSession {
  /** Time by which an announcer that was cut off with us has announced again, in ms. */
  readonly absenceMs: number;
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #connection: StoreConnection;
  readonly #localNetwork: LocalNetwork;
  readonly #directory: Directory;
  readonly #signer: RecordSigner;
  readonly #closing = new AbortController();
  readonly #publishedNodes = new Map<string, PublishedNode>();
  readonly #refusals = new Map<Refusal, number>();
  /** Other processes that announce with our key. */
  readonly #rivals = new Reminder();
  readonly #hostname: string;
  #isWatching = false;
  #failure: DiscoveryError | null = null;
  #cancelRefresh: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(
    context: TransportContext,
    options: SessionOptions,
    connection: StoreConnection,
    machine: Platform,
  ) {
    const { clock, random } = context;
    const { name: via, cluster, lifetimeMs, identity, addresses, maxNodes } = options;
    this.absenceMs = Math.max(lifetimeMs, minAbsenceMs);
    this.#context = context;
    this.#options = options;
    this.#connection = connection;
    this.#localNetwork = new LocalNetwork(machine, addresses);
    this.#hostname = machine.hostname();
    this.#signer = new RecordSigner({ identity, cluster, lifetimeMs, random, clock });
    this.#directory = new Directory({
      ...{ via, clock, cluster, maxNodes, lifetimeMs, localNetwork: this.#localNetwork },
      on: {
        record: (record) => this.#compareWithOwn(record),
        refused: (why, key) => this.#countRefusal(why, key),
      },
    });
    connection.lost.then((error) => this.#fail(error));
  }

  browse(_: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        if (this.#failure) {
          sink.fail(this.#failure);
          return () => {};
        }
        const leave = this.#directory.tell(sink);
        if (!this.#isWatching) this.#connection.watch(this.#directory);
        this.#isWatching = true;
        this.#watchLocalNetwork();
        return leave;
      },
    });
  }

  async announce(node: ResolvedAnnouncement, { signal }: Cancellable): Promise<Registration> {
    signal.throwIfAborted();
    if (this.#publishedNodes.size >= maxPublishedNodes) {
      throw new RangeError(`a session announces ${maxPublishedNodes} nodes at most; this would be one more`);
    }
    const publishedNode = this.#publish(node);
    try {
      await publishedNode.open({ signal });
    } catch (error) {
      await publishedNode[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw this.#failure ?? error;
    }
    this.#watchLocalNetwork();
    return publishedNode;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #publish(node: ResolvedAnnouncement): PublishedNode {
    const key = this.#signer.keyOf(node);
    if (this.#publishedNodes.has(key)) throw new RangeError(`the node ${node.id} is announced already`);
    const publishedNode = new PublishedNode(
      { hostname: this.#hostname, ...node },
      {
        clock: this.#context.clock,
        signer: this.#signer,
        connection: this.#connection,
        localNetwork: this.#localNetwork,
        onWithdrawn: () => this.#publishedNodes.delete(key),
      },
    );
    this.#publishedNodes.set(key, publishedNode);
    return publishedNode;
  }

  /** Ends the session when the store, and all its values, are lost. */
  #fail(cause: DiscoveryError): void {
    if (this.#closed) return;
    const { name: via } = this.#options;
    this.#failure = new DiscoveryError("TRANSPORT_FAILED", cause.message, { via, cause });
    this.#cancelRefresh?.();
    if (this.#directory.fail(this.#failure) === 0) this.#context.report(this.#failure);
  }

  /** A process with our key that did not start before ours is a copy of this machine. */
  #compareWithOwn({ id, instance, epoch, machine, nodes, addresses }: AliveRecord): void {
    const { identity, name: via } = this.#options;
    if (id !== this.#signer.id || instance === this.#signer.instance || epoch < identity.epoch) return;
    const [node] = nodes;
    if (!node || !this.#publishedNodes.has(this.#signer.keyOf({ ...node }))) return;
    if (!this.#rivals.isDue(instance, this.#context.clock.now())) return;
    const where = isSameStack(machine, this.#localNetwork.mark)
      ? "of this machine"
      : `on ${node.hostname ?? "another machine"} (${addresses.join(", ")})`;
    const message = `another process ${where} announces with our key; the later start is listed; ${copiedKeyAdvice(identity)}`;
    this.#context.report(new DiscoveryError("NAME_CONFLICT", message, { via }));
  }

  #countRefusal(why: Refusal, key: string): void {
    const count = (this.#refusals.get(why) ?? 0) + 1;
    this.#refusals.set(why, count);
    this.#context.log("debug", "a value in the store is ignored", { why, key, count });
    if (why !== "full" || count > 1) return;
    const { maxNodes, name: via } = this.#options;
    const message = `the store has more than ${maxNodes} nodes, which is the limit; further ones are not listed`;
    this.#context.report(new DiscoveryError("REGISTRY_FULL", message, { via }));
  }

  #watchLocalNetwork(): void {
    if (this.#failure || this.#closing.signal.aborted) return;
    this.#cancelRefresh ??= this.#context.clock.schedule(refreshMs, () => this.#reviewLocalNetwork());
  }

  /** This machine's addresses decide those of its nodes, and the reach of others. */
  #reviewLocalNetwork(): void {
    this.#cancelRefresh = null;
    this.#watchLocalNetwork();
    this.#directory.review();
    const isElsewhere = this.#localNetwork.look();
    if (isElsewhere) this.#directory.repeat();
    for (const publishedNode of this.#publishedNodes.values()) {
      if (!isElsewhere && !publishedNode.isDue) continue;
      publishedNode.repeat(this.#closing).catch((error: unknown) => {
        this.#context.log("debug", "a change was not announced", { error });
      });
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#publishedNodes.values()].map((one) => one[Symbol.asyncDispose]()));
    this.#closing.abort();
    this.#cancelRefresh?.();
    await this.#connection[Symbol.asyncDispose]();
  }
}
