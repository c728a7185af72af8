import type { Alive, DownReason, Gone, NodeInfo, Observation, SeenNode } from "../src/index.ts";

/** One line of the ledger: what a transport last said under a key, and of which node that is. */
interface Line {
  owner: string;
  readonly via: string;
  readonly key: string;
  readonly seen: SeenNode;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly changedMs: number;
  readonly expiresMs: number;
  readonly stale: string | null;
}

/** "`node` answers at this endpoint", or "is who announces so". */
interface Claim {
  node: string;
  readonly tie: string;
}

const reaches = ["source", "on-link", "routed", "link-local", "loopback"];
const trusts = ["signed", "announced", "identified"];

/**
 * What a registry of any size has to do, without a thought for speed.
 *
 * Three flat lists, searched from end to end: lines, claims, and who followed whom. Nodes are not kept at
 * all: they are the owners that occur in the lines.
 */
export class NaiveRegistry {
  refused = 0;
  readonly #capacity: number;
  #lines: Line[] = [];
  #claims: Claim[] = [];
  #successions: { readonly node: string; readonly predecessor: string }[] = [];
  #arrivals: string[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  nextDeadlineMs(): number | null {
    return this.#lines.length === 0 ? null : Math.min(...this.#lines.map((line) => line.expiresMs));
  }

  /** Nodes in the order of arrival, each with its lines, the best first. */
  listAlive(): { readonly id: string; readonly lines: readonly Line[] }[] {
    return this.#arrivals.map((id) => ({ id, lines: this.#linesOf(id).sort(best) }));
  }

  /** Ids of the nodes that went down, each with its reason. */
  apply(observation: Observation, nowMs: number): Map<string, DownReason> {
    if (observation.kind === "settled") return new Map();
    if (observation.kind === "alive") return this.#applyAlive(observation, nowMs);
    return this.#keepLines((line) => !saidBy(observation, line), observation.reason);
  }

  expire(nowMs: number): Map<string, DownReason> {
    return this.#keepLines((line) => line.expiresMs > nowMs, "expired");
  }

  #applyAlive(report: Alive, nowMs: number): Map<string, DownReason> {
    const { node: seen, via, key, ttlMs, stale = null } = report;
    if (this.#comesLate(seen)) return new Map();
    const owner = seen.id ?? this.#ownerByEndpoint(report);
    const superseded = this.#nodes().filter((node) => node !== owner && this.#yields(node, report));
    const previous = this.#lines.find((line) => saidBy(report, line));
    const leavesNobody = previous !== undefined && this.#linesOf(previous.owner).length === 1;
    const isNew = !this.#nodes().includes(owner);
    if (isNew && superseded.length === 0 && !leavesNobody && this.#nodes().length >= this.#capacity) {
      this.refused += 1;
      return new Map();
    }
    const before = previous?.owner === owner ? previous : undefined;
    const repeats = before !== undefined && JSON.stringify(before.seen) === JSON.stringify(seen);
    const times = {
      firstSeenMs: before?.firstSeenMs ?? nowMs,
      lastSeenMs: nowMs,
      changedMs: repeats ? before.changedMs : nowMs,
      expiresMs: nowMs + ttlMs,
    };
    this.#lines = this.#lines.filter((line) => !saidBy(report, line));
    this.#lines.push({ owner, via, key, seen, stale, ...times });
    for (const node of superseded) this.#hand(node, owner);
    const down = this.#keepLines(() => true, "superseded");
    for (const tie of tiesBy(via, seen)) {
      if (!this.#claims.some((claim) => claim.tie === tie)) this.#claims.push({ node: owner, tie });
    }
    return down;
  }

  /** A predecessor stays out while its successor is heard by name, unless it alone can sign. */
  #comesLate(seen: SeenNode): boolean {
    const proven = provenBy(seen);
    const endpoints = proven.length > 0 ? proven : listedBy(seen);
    return this.#claims.some(({ tie, node }) => {
      const followed = this.#successions.some((it) => it.node === node && it.predecessor === seen.id);
      const named = this.#isNamed(node);
      const returns = seen.trust === "signed" && !this.#isSigned(node);
      return endpoints.includes(tie) && followed && named && !returns;
    });
  }

  #ownerByEndpoint(report: Alive): string {
    const ties = tiesBy(report.via, report.node);
    const claimants = ties.flatMap((tie) =>
      this.#claims.filter((it) => it.tie === tie).map(({ node }) => node),
    );
    const claimant = claimants.find((node) => this.#isNamed(node)) ?? claimants[0];
    if (claimant !== undefined) return claimant;
    const present = this.#lines.find((line) => saidBy(report, line))?.owner;
    const listed = listedBy(report.node);
    const remains = this.#claims.some((it) => it.node === present && listed.includes(it.tie));
    return remains && present !== undefined ? present : String(listed[0]);
  }

  #yields(node: string, { via, node: seen }: Alive): boolean {
    const contested = tiesBy(via, seen);
    const holds = this.#claims.some((claim) => claim.node === node && contested.includes(claim.tie));
    if (seen.id === null) return holds && seen.announcer !== undefined && !this.#isNamed(node);
    return holds && (seen.trust === "signed" || !this.#isSigned(node));
  }

  #hand(node: string, successor: string): void {
    this.#lines = this.#lines.filter((line) => line.owner !== node || line.seen.id === null);
    for (const line of this.#lines) if (line.owner === node) line.owner = successor;
    for (const claim of this.#claims) if (claim.node === node) claim.node = successor;
    const inherited = this.#successions.filter((it) => it.node === node).map((it) => it.predecessor);
    for (const predecessor of [node, ...inherited]) {
      if (predecessor !== successor) this.#successions.push({ node: successor, predecessor });
    }
  }

  /** Drops the other lines and all that rested on them. */
  #keepLines(keeps: (line: Line) => boolean, reason: DownReason): Map<string, DownReason> {
    this.#lines = this.#lines.filter(keeps);
    const down = this.#arrivals.filter((node) => this.#linesOf(node).length === 0);
    for (const node of this.#nodes()) if (!this.#arrivals.includes(node)) this.#arrivals.push(node);
    this.#arrivals = this.#arrivals.filter((node) => !down.includes(node));
    this.#successions = this.#successions.filter((it) => this.#arrivals.includes(it.node));
    this.#claims = this.#claims.filter(({ node, tie }) =>
      this.#linesOf(node).some((line) => tiesBy(line.via, line.seen).includes(tie)),
    );
    return new Map(down.map((node) => [node, reason]));
  }

  #nodes(): string[] {
    return [...new Set(this.#lines.map((line) => line.owner))];
  }

  #linesOf(node: string): Line[] {
    return this.#lines.filter((line) => line.owner === node);
  }

  #isNamed(node: string): boolean {
    return this.#linesOf(node).some((line) => line.seen.id !== null);
  }

  #isSigned(node: string): boolean {
    return this.#linesOf(node).some((line) => line.seen.trust === "signed");
  }
}

/** What of a node the two registries are compared by. */
export function outlineOf({ id, port, info, sources }: NodeInfo): unknown {
  return {
    id,
    port,
    info,
    sources: sources.map(({ firstSeenAt, lastSeenAt, expiresAt, ...source }) => source),
  };
}

/** The same, from the lines. */
export function outlineOfLines({
  id,
  lines,
}: {
  readonly id: string;
  readonly lines: readonly Line[];
}): unknown {
  const port = lines[0]?.seen.port;
  const infos = lines.filter((line) => line.seen.port === port).map((line) => line.seen.info);
  const sources = lines.map(({ via, key, seen, firstSeenMs, lastSeenMs, expiresMs, stale }) => {
    const known = { transport: via, key, trust: seen.trust, firstSeenMs, lastSeenMs, expiresMs, stale };
    return { ...known, relayed: false };
  });
  return { id, port, info: infos.find((info) => info !== "") ?? "", sources };
}

function saidBy({ via, key }: Alive | Gone, line: Line): boolean {
  return line.via === via && line.key === key;
}

function best(a: Line, b: Line): number {
  const byTrust = trusts.indexOf(a.seen.trust) - trusts.indexOf(b.seen.trust);
  return byTrust || b.changedMs - a.changedMs || (`${a.via} ${a.key}` < `${b.via} ${b.key}` ? -1 : 1);
}

function listedBy({ addresses, port }: SeenNode): string[] {
  const rank = ({ address, reach }: SeenNode["addresses"][number]): number =>
    2 * reaches.indexOf(reach) + (address.includes(":") ? 1 : 0);
  const ranked = addresses.map((seen, index) => ({ seen, order: rank(seen) * 100 + index }));
  ranked.sort((a, b) => a.order - b.order);
  return ranked.map(({ seen: { address } }) =>
    address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
  );
}

function provenBy(seen: SeenNode): string[] {
  const isProof = (reach: string): boolean =>
    reach === "source" || (reach === "on-link" && seen.trust === "signed");
  return listedBy({ ...seen, addresses: seen.addresses.filter(({ reach }) => isProof(reach)) });
}

/** Who announces a node without a name, and where a report proves a node to be. */
function tiesBy(via: string, seen: SeenNode): string[] {
  const announcers = seen.id === null && seen.announcer !== undefined ? [`${via} by ${seen.announcer}`] : [];
  return [...announcers, ...provenBy(seen)];
}
