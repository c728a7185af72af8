import { createHash } from "node:crypto";
import type { DiscoveryError } from "@lmserv/discovery-core";
import {
  type Clock,
  FairSet,
  formatEndpoint,
  type ObservationSink,
  type SeenNode,
} from "@lmserv/discovery-core/transport";
import {
  type Fingerprint,
  type Identification,
  type NoReply,
  serversOf,
} from "@lmserv/discovery-fingerprint";

/** Server that answered, and has not been found missing since. */
interface Listed {
  readonly key: string;
  readonly host: string;
  /** Port of its latest answer, which may differ from the port in its document. */
  askedPort: number;
  node: SeenNode;
  documented: boolean;
  seenMs: number;
  /** Time of its latest document; a busy server only accepts connections. */
  answeredMs: number;
  failures: number;
  isAsked: boolean;
  cancel: () => void;
}

/** Browse that receives the reports. */
export interface Browse {
  /** Longest time between two confirmations of a node, in ms. */
  readonly ttlMs: number;
  readonly sink: ObservationSink;
}

export interface NeighborCacheOptions {
  /** Name of the transport. */
  readonly via: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly maxNodes: number;
  /** MAC of a host, or null if it does not identify one machine. */
  readonly macOf: (host: string) => string | null;
  readonly fingerprint: (host: string, port: number, patient: boolean) => Promise<Fingerprint | null>;
  /** Called when a server vanished from a host, to which it may come back. */
  readonly onGone: (host: string) => void;
  readonly onFull: () => void;
}

/** Interval of the checks, in ms: three fit into the default TTL of a node. */
const confirmMs = 20_000;
const questionsPerTtl = 3;
/** Wait before the second check, in ms; a restarted server is back by then, or will be found anew. */
const secondLookMs = 5_000;
/** Wait while a caller waits for `reconfirm`, in ms. */
const doubtMs = 1_000;
/** Consecutive failures after which a server is removed. */
const maxFailures = 2;

/** Result of checking a listed server. */
type Finding = "there" | "missing" | "unknown";

/** Meaning of each silence of a listed server. */
const findings: Readonly<Record<NoReply, Finding>> = {
  // Busy: some servers do not answer while they generate.
  "no-answer": "there",
  refused: "missing",
  "no-route": "missing",
  "no-connection": "missing",
  closed: "missing",
  unasked: "unknown",
};

/** Found servers, each checked for as long as it answers. */
export class NeighborCache {
  readonly #options: NeighborCacheOptions;
  readonly #listed = new Map<string, Listed>();
  /** Quota of each machine, so that one with many servers displaces no others. */
  readonly #slots: FairSet;
  readonly #browses = new Set<Browse>();

  constructor(options: NeighborCacheOptions) {
    this.#options = options;
    this.#slots = new FairSet(options.maxNodes);
  }

  /** Count of listed servers. */
  get size(): number {
    return this.#listed.size;
  }

  /** True without a browse. */
  get isIdle(): boolean {
    return this.#browses.size === 0;
  }

  hosts(): readonly string[] {
    return [...this.#listed.values()].map(({ host }) => host);
  }

  /** Reports the listed servers to a browse, then their changes; returns the function that ends it. */
  add(browse: Browse): () => void {
    this.#browses.add(browse);
    for (const listed of this.#listed.values()) this.#tell(browse, listed);
    return () => void this.#browses.delete(browse);
  }

  /** Ends every browse with an error. */
  fail(error: DiscoveryError): void {
    for (const { sink } of [...this.#browses]) sink.fail(error);
  }

  has(key: string): boolean {
    return this.#listed.has(key);
  }

  take(host: string, askedPort: number, identification: Identification): void {
    const key = formatEndpoint(host, identification.port);
    const known = this.#listed.get(key);
    if (!known && !this.#admit(key, host)) return this.#options.onFull();
    const isBetter = !known || identification.document || !known.documented;
    const listed: Listed = known ?? {
      key,
      host,
      askedPort,
      node: this.#nodeOf(host, identification),
      documented: identification.document,
      seenMs: 0,
      answeredMs: 0,
      failures: 0,
      isAsked: false,
      cancel: () => {},
    };
    if (isBetter) {
      listed.askedPort = askedPort;
      listed.node = this.#nodeOf(host, identification);
      listed.documented = identification.document;
    }
    listed.answeredMs = this.#options.clock.now();
    this.#listed.set(key, listed);
    this.#keep(listed);
  }

  /** Merges a host into its twin, which serves the same ports, and reports its servers as the twin's. */
  join(host: string, twin: string): void {
    for (const listed of this.#listed.values()) {
      const { node, cancel } = listed;
      const same = this.#listed.get(formatEndpoint(twin, node.port));
      if (listed.host !== host || same?.node.id !== node.id) continue;
      cancel();
      this.#drop(listed);
    }
  }

  /** Checks a server now; ignores an unknown key. */
  reconfirm(key: string): void {
    const listed = this.#listed.get(key);
    if (listed) this.#ask(listed, doubtMs);
  }

  /** Forgets all servers and cancels their checks. */
  stop(): void {
    for (const { cancel } of this.#listed.values()) cancel();
    this.#listed.clear();
  }

  #keep(listed: Listed): void {
    const { clock, random } = this.#options;
    listed.seenMs = clock.now();
    listed.failures = 0;
    const ttlMs = Math.min(...[...this.#browses].map((browse) => browse.ttlMs));
    const periodMs = Math.min(confirmMs, ttlMs / questionsPerTtl);
    // Random share: hosts found at the same moment should not be checked together for ever.
    this.#schedule(listed, periodMs * (0.8 + 0.2 * random()), Math.min(secondLookMs, periodMs / 2));
    for (const browse of this.#browses) this.#tell(browse, listed);
  }

  #schedule(listed: Listed, delayMs: number, retryMs: number): void {
    listed.cancel();
    listed.cancel = this.#options.clock.schedule(delayMs, () => this.#ask(listed, retryMs));
  }

  async #ask(listed: Listed, retryMs: number): Promise<void> {
    if (listed.isAsked) return;
    listed.isAsked = true;
    listed.cancel();
    const { host, askedPort, failures } = listed;
    const result = await this.#options.fingerprint(host, askedPort, failures > 0);
    listed.isAsked = false;
    if (this.#listed.get(listed.key) !== listed) return;
    const servers = result === null ? [] : serversOf(result);
    for (const server of servers) this.take(host, askedPort, server);
    if (servers.some((server) => isOf(listed, server))) return;
    const finding = result?.kind === "silent" ? findings[result.why] : "missing";
    if (finding === "there") return this.#keep(listed);
    if (finding === "missing") listed.failures += 1;
    if (listed.failures < maxFailures) return this.#schedule(listed, retryMs, retryMs);
    this.#drop(listed);
  }

  /** Returns true if a server gets a place, if need be one of a machine with more servers. */
  #admit(key: string, host: string): boolean {
    const rank = { trust: "identified", origin: this.#options.macOf(host) ?? host } as const;
    const place = this.#slots.placeFor(rank);
    if (place === "none") return false;
    if (place !== "free") {
      const loser = this.#listed.get(place.insteadOf);
      loser?.cancel();
      if (loser) this.#drop(loser);
      this.#options.onFull();
    }
    this.#slots.add(key, rank);
    return true;
  }

  #drop({ key, host }: Listed): void {
    const { via, onGone } = this.#options;
    this.#listed.delete(key);
    this.#slots.delete(key);
    onGone(host);
    for (const { sink } of this.#browses) sink.push({ kind: "gone", via, key, reason: "unreachable" });
  }

  #tell({ ttlMs, sink }: Browse, listed: Listed): void {
    const { key, host: origin, node, seenMs, answeredMs: heardMs } = listed;
    const { via, clock } = this.#options;
    const leftMs = ttlMs - (clock.now() - seenMs);
    if (leftMs > 0) sink.push({ kind: "alive", via, key, node, origin, heardMs, ttlMs: leftMs });
  }

  /** An HTTP answer proves the address; a MAC proves that one machine answers at several. */
  #nodeOf(host: string, identification: Identification): SeenNode {
    const mac = this.#options.macOf(host);
    const node = nodeOf(host, identification);
    return mac === null ? node : { ...node, announcer: announcerOf(mac, identification) };
  }
}

/** True if the listed server answered, and not another one in its place. */
function isOf({ key, host }: Listed, { port }: Identification): boolean {
  return formatEndpoint(host, port) === key;
}

/**
 * Identity of one server of one machine. The models tell apart servers of hosts that share a MAC, as with
 * ipvlan.
 */
function announcerOf(mac: string, { port, server, models }: Identification): string {
  const text = JSON.stringify([mac, port, server, [...models].sort()]);
  // Hashed, so that MACs stay private.
  return createHash("sha256").update(text).digest("base64url");
}

function nodeOf(host: string, identification: Identification): SeenNode {
  const { port, scheme, id, info, path, server, apis, models, modelsCut, auth } = identification;
  return {
    id,
    trust: "identified",
    port,
    scheme,
    info,
    addresses: [{ address: host, reach: "source" }],
    hostname: null,
    path,
    server,
    apis,
    models,
    ...(modelsCut && { modelsCut }),
    auth,
    attributes: {},
  };
}
