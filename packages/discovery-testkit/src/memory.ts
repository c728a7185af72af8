import { DiscoveryError } from "@lmserv/discovery-core";
import {
  assertOptions,
  type BrowseQuery,
  type Cancellable,
  nameShape,
  type Observation,
  type ObservationSink,
  type OptionShapes,
  observationStream,
  type Registration,
  type ResolvedAnnouncement,
  type SeenNode,
  type Transport,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { KnownNodes } from "./known-nodes.ts";
import { MemoryBrowse } from "./memory-browse.ts";
import { decodeFrame, encodeFrame, type Frame, nameOf, type Presence, presenceOf } from "./memory-frame.ts";
import { asksFor, type Link, type Listener, type MemoryNetwork } from "./memory-network.ts";

export interface MemoryOptions {
  readonly network: MemoryNetwork;
  /** Name of the transport. @default "memory" */
  readonly name?: string;
  /** Bound on the nodes of a session; further ones are ignored. @default 1_000 */
  readonly maxNodes?: number;
  /** True if sessions can announce. @default true */
  readonly announces?: boolean;
  /** True if sessions can reconfirm. @default true */
  readonly reconfirms?: boolean;
}

const shapes: OptionShapes<MemoryOptions> = {
  network: { type: "code", called: "a MemoryNetwork", has: ["join"] },
  name: nameShape,
  maxNodes: { type: "integer", minimum: 1 },
  announces: { type: "boolean" },
  reconfirms: { type: "boolean" },
};

/** Lifetime of a presence in ms, that of host names in RFC 6762 section 10. */
const announcedTtlMs = 120_000;
/** Time for the answer of a doubted node, in ms. */
const reconfirmMs = 1_000;

/** Transport without sockets: the hosts are the sessions on one `MemoryNetwork`. */
export function memory(options: MemoryOptions): Transport {
  assertOptions("memory", options, shapes, ["network"]);
  const { network, name = "memory", announces = true, reconfirms = true } = options;
  return {
    name,
    async open(context, { signal }) {
      signal.throwIfAborted();
      if (network.refusal) {
        throw new DiscoveryError(network.refusal, `${name}: the network is down`, { via: name });
      }
      const host = new Host(name, context, options);
      return {
        browse: (query, { signal }) => host.browse(query, signal),
        ...(announces && { announce: host.announce.bind(host) }),
        ...(reconfirms && { reconfirm: host.reconfirm.bind(host) }),
        [Symbol.asyncDispose]: () => host.leave(),
      } satisfies TransportSession;
    },
  };
}

class Host implements Listener {
  readonly #via: string;
  readonly #context: TransportContext;
  readonly #link: Link;
  readonly #closing = new AbortController();
  readonly #known: KnownNodes;
  readonly #browses = new Set<MemoryBrowse>();
  /** Announcements of this host, by id. */
  readonly #announced = new Map<string, Presence>();
  /** Cancels the wait for a doubted node, by key; bounded by the known nodes. */
  readonly #doubts = new Map<string, () => void>();
  #claim: { readonly name: string; taken: boolean } | null = null;
  #failure: DiscoveryError | null = null;
  #dropped = 0;

  constructor(via: string, context: TransportContext, { network, maxNodes = 1_000 }: MemoryOptions) {
    this.#via = via;
    this.#context = context;
    this.#known = new KnownNodes(maxNodes);
    this.#link = network.join(this);
  }

  browse({ ttlMs }: BrowseQuery, signal: AbortSignal): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => this.#start(ttlMs, sink),
    });
  }

  async announce(node: ResolvedAnnouncement, { signal }: Cancellable): Promise<Registration> {
    signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const name = this.#freeNameFor(node);
    let presence = this.#stand({ ...node, name });
    return {
      update: async (changed) => {
        presence = this.#stand({ ...changed, id: node.id, name });
      },
      [Symbol.asyncDispose]: async () => this.#withdraw(presence),
    };
  }

  async reconfirm(key: string, { signal }: Cancellable): Promise<void> {
    signal.throwIfAborted();
    if (!this.#known.has(key) || this.#doubts.has(key)) return;
    const giveUp = (): void => this.#forget(key, "unreachable");
    this.#doubts.set(key, this.#context.clock.schedule(reconfirmMs, giveUp));
    this.#send({ kind: "query", id: key.slice(key.indexOf("/") + 1) });
  }

  async leave(): Promise<void> {
    for (const presence of [...this.#announced.values()]) this.#withdraw(presence);
    this.#stop();
    this.#closing.abort();
  }

  receive(bytes: Uint8Array, from: string): void {
    const frame = decodeFrame(bytes);
    if (!frame) {
      this.#dropped += 1;
      this.#context.log("debug", "malformed frame dropped", { from, dropped: this.#dropped });
      return;
    }
    for (const presence of this.#announced.values()) if (asksFor(frame, presence)) this.#send(presence);
    if (frame.kind === "presence") this.#hear(frame, from);
    if (frame.kind === "goodbye") this.#forget(`${from}/${frame.id}`, "goodbye");
  }

  failed(): void {
    this.#failure = new DiscoveryError("TRANSPORT_FAILED", `${this.#via}: the network died`, {
      via: this.#via,
    });
    this.#stop();
    if (this.#browses.size === 0) this.#context.report(this.#failure);
    for (const browse of [...this.#browses]) browse.fail(this.#failure);
  }

  #start(ttlMs: number, sink: ObservationSink): () => void {
    const { clock } = this.#context;
    const ask = (): void => this.#send({ kind: "query", id: null });
    const browse = new MemoryBrowse({ via: this.#via, ttlMs, sink, clock, ask });
    this.#browses.add(browse);
    if (this.#failure) sink.fail(this.#failure);
    else browse.start();
    return () => {
      this.#browses.delete(browse);
      browse.stop();
    };
  }

  /** Finds a free name; reports it unless it is the chosen one. */
  #freeNameFor(node: ResolvedAnnouncement): string {
    const chosen = nameOf(node);
    if (node.name === undefined) return chosen;
    let name = chosen;
    for (let count = 2; this.#isTaken(name); count += 1) name = `${chosen} (${count})`;
    if (name !== chosen) {
      const message = `the name "${chosen}" is taken; announced as "${name}"`;
      this.#context.report(new DiscoveryError("NAME_CONFLICT", message, { via: this.#via }));
    }
    return name;
  }

  /** True if a host answers for the name, which it does before `send` returns on this medium. */
  #isTaken(name: string): boolean {
    const claim = { name, taken: false };
    this.#claim = claim;
    this.#send({ kind: "claim", name });
    this.#claim = null;
    return claim.taken;
  }

  #hear({ name, ttlMs, node }: Presence, from: string): void {
    if (this.#claim?.name === name) this.#claim.taken = true;
    const key = `${from}/${node.id}`;
    const nowMs = this.#context.clock.now();
    if (!this.#known.admit(key, from, nowMs + ttlMs, nowMs)) return;
    this.#settleDoubt(key);
    const seen: SeenNode = { ...node, trust: "announced", addresses: [{ address: from, reach: "source" }] };
    for (const browse of [...this.#browses]) browse.alive(key, seen, from, ttlMs);
  }

  #forget(key: string, reason: "goodbye" | "unreachable"): void {
    this.#settleDoubt(key);
    if (!this.#known.has(key)) return;
    this.#known.delete(key);
    for (const browse of [...this.#browses]) browse.gone(key, reason);
  }

  #settleDoubt(key: string): void {
    this.#doubts.get(key)?.();
    this.#doubts.delete(key);
  }

  #stand(node: ResolvedAnnouncement): Presence {
    const presence = presenceOf(node, announcedTtlMs);
    this.#send(presence);
    this.#announced.set(node.id, presence);
    return presence;
  }

  #withdraw(presence: Presence): void {
    const { id } = presence.node;
    if (this.#announced.get(id) !== presence) return;
    this.#announced.delete(id);
    this.#send({ kind: "goodbye", id });
  }

  #send(frame: Frame): void {
    this.#link.send(encodeFrame(frame));
  }

  #stop(): void {
    for (const key of [...this.#doubts.keys()]) this.#settleDoubt(key);
    this.#link.leave();
  }
}
