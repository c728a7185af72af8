import type { Alive, Gone, Observation, SeenNode } from "../../src/authors.ts";
import type { DownReason, NodeInfo } from "../../src/index.ts";

/** Line of the ledger: the latest report of a transport under a key, and its node. */
interface Line {
  owner: string;
  readonly via: string;
  readonly key: string;
  readonly seen: SeenNode;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly changedMs: number;
  readonly ttlMs: number | null;
  expiresMs: number | null;
  stale: string | null;
  /** True if it is unconfirmed since its transport was lost. */
  isUnconfirmed: boolean;
  /** Endpoints that were proven, and are listed still. */
  readonly proven: readonly string[];
}

/** "`node` answers at this endpoint", or "is the one that announces so". */
interface Claim {
  node: string;
  readonly tie: string;
}

const reaches = ["source", "on-link", "routed", "link-local", "loopback"];
const trusts = ["signed", "announced", "identified"];

interface Succession {
  readonly node: string;
  readonly predecessor: string;
  readonly sinceMs: number;
}

/**
 * Model of a registry with unlimited room, without regard to speed.
 *
 * Three flat lists, searched from end to end: lines, claims, and successions. Nodes are not kept at all: they
 * are the owners that occur in the lines.
 */
export class NaiveRegistry {
  #lines: Line[] = [];
  #claims: Claim[] = [];
  #successions: Succession[] = [];
  #arrivals: string[] = [];
  /** Nodes that were heard after others had taken their places. */
  #steadfast: string[] = [];
  /** Transports without a session whose lines are not stale yet. */
  #lost: { readonly via: string; readonly code: string; readonly staleMs: number }[] = [];

  nextDeadlineMs(): number | null {
    const ends = this.#lines.flatMap(({ expiresMs }) => expiresMs ?? []);
    const times = [...ends, ...this.#lost.map(({ staleMs }) => staleMs)];
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Nodes in the order of arrival, each with its lines, the best first. */
  listAlive(): { readonly id: string; readonly lines: readonly Line[] }[] {
    return this.#arrivals.map((id) => ({ id, lines: this.#linesOf(id).sort(best) }));
  }

  /** Ids of the nodes that went down, each with its reason. */
  apply(observation: Observation, nowMs: number): Map<string, DownReason> {
    const { via } = observation;
    if (observation.kind === "alive") return this.#applyAlive(observation, nowMs);
    if (observation.kind === "gone")
      return this.#keepLines((line) => !saidBy(observation, line), observation.reason);
    this.#lost = this.#lost.filter((it) => it.via !== via);
    if (observation.kind === "settled")
      return this.#keepLines((line) => line.via !== via || !line.isUnconfirmed, "unreachable");
    if (observation.kind === "lost") {
      this.#lost.push({ via, code: observation.error.code, staleMs: nowMs + 2_000 });
      for (const line of this.#lines) if (line.via === via) this.#lose(line, nowMs);
    }
    return new Map();
  }

  expire(nowMs: number): Map<string, DownReason> {
    const isDue = ({ expiresMs }: Line): boolean => expiresMs !== null && expiresMs <= nowMs;
    const expired = this.#keepLines((line) => line.isUnconfirmed || !isDue(line), "expired");
    const unreachable = this.#keepLines((line) => !isDue(line), "unreachable");
    for (const { via, code } of this.#lost.filter(({ staleMs }) => staleMs <= nowMs)) {
      for (const line of this.#lines) if (line.via === via && line.isUnconfirmed) line.stale ??= code;
    }
    this.#lost = this.#lost.filter(({ staleMs }) => staleMs > nowMs);
    return new Map([...expired, ...unreachable]);
  }

  #lose(line: Line, nowMs: number): void {
    if (!line.isUnconfirmed) line.expiresMs = nowMs + 2 * (line.ttlMs ?? 60_000);
    line.isUnconfirmed = true;
  }

  #applyAlive(report: Alive, nowMs: number): Map<string, DownReason> {
    const { node: seen, via, key, ttlMs = null } = report;
    const fresh = provenBy(report);
    if (this.#comesLate(report, fresh)) return new Map();
    const owner = seen.id ?? this.#ownerByEndpoint(report);
    const brought = this.#possible(owner, report, tiesBy(via, seen, fresh));
    const superseded = this.#nodes().filter((node) => node !== owner && this.#yields(node, seen, brought));
    const previous = this.#lines.find((line) => saidBy(report, line));
    const before = previous?.owner === owner ? previous : undefined;
    const repeats = before !== undefined && JSON.stringify(before.seen) === JSON.stringify(seen);
    const known = before?.seen.id === seen.id ? before.proven : [];
    const proven = listedBy(seen).filter((endpoint) => fresh.includes(endpoint) || known.includes(endpoint));
    const times = {
      firstSeenMs: before?.firstSeenMs ?? nowMs,
      lastSeenMs: nowMs,
      changedMs: repeats ? before.changedMs : nowMs,
      ttlMs,
      expiresMs: ttlMs === null ? null : nowMs + ttlMs,
      isUnconfirmed: false,
    };
    this.#lines = this.#lines.filter((line) => !saidBy(report, line));
    this.#lines.push({ owner, via, key, seen, stale: null, proven, ...times });
    for (const node of superseded) this.#hand(node, owner, nowMs);
    const down = this.#keepLines(() => true, "superseded");
    this.#return(owner, report, fresh);
    for (const tie of this.#possible(owner, report, tiesBy(via, seen, proven))) {
      if (!this.#claims.some((claim) => claim.tie === tie)) this.#claims.push({ node: owner, tie });
    }
    return down;
  }

  /**
   * A predecessor stays out while its successor is heard by name, unless it is trusted more or was heard
   * since.
   */
  #comesLate(report: Alive, fresh: readonly string[]): boolean {
    const { node: seen, heardMs } = report;
    const endpoints = fresh.length > 0 ? fresh : listedBy(seen);
    return this.#claims.some(({ tie, node }) => {
      const succession = this.#successions.find((it) => it.node === node && it.predecessor === seen.id);
      if (!endpoints.includes(tie) || !succession || !this.#isNamed(node)) return false;
      const answers = fresh.length > 0 && heardMs !== null && heardMs > succession.sinceMs;
      return !answers && trusts.indexOf(seen.trust) >= this.#trustOf(node);
    });
  }

  /** A predecessor that was heard since stays, with its proven endpoints if it is trusted no less. */
  #return(owner: string, { node: seen, heardMs }: Alive, fresh: readonly string[]): void {
    const holders = this.#claims.filter(({ tie }) => fresh.includes(tie)).map(({ node }) => node);
    for (const succession of this.#successions) {
      const { node, predecessor, sinceMs } = succession;
      if (predecessor !== seen.id || !holders.includes(node) || heardMs === null || heardMs <= sinceMs)
        continue;
      this.#steadfast.push(owner);
      this.#successions = this.#successions.filter((it) => it !== succession);
      if (trusts.indexOf(seen.trust) > this.#trustOf(node)) continue;
      const possible = this.#possible(owner, { node: seen }, fresh);
      for (const claim of this.#claims)
        if (claim.node === node && possible.includes(claim.tie)) claim.node = owner;
    }
  }

  /** A signed node has ties only at its signed endpoints. */
  #possible(node: string, { node: seen }: Pick<Alive, "node">, ties: readonly string[]): readonly string[] {
    const signed = [...this.#linesOf(node).map((line) => line.seen), seen].filter(isSigned);
    return signed.length === 0 ? ties : ties.filter((tie) => signed.flatMap(listedBy).includes(tie));
  }

  #ownerByEndpoint(report: Alive): string {
    const ties = tiesBy(report.via, report.node, provenBy(report));
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

  #yields(node: string, seen: SeenNode, contested: readonly string[]): boolean {
    if (!this.#claims.some((claim) => claim.node === node && contested.includes(claim.tie))) return false;
    if (!this.#isNamed(node)) return seen.id !== null || seen.announcer !== undefined;
    const [trust, own] = [trusts.indexOf(seen.trust), this.#trustOf(node)];
    if (seen.id === null || trust > own) return false;
    const follows = this.#successions.some((it) => it.node === node && it.predecessor === seen.id);
    return trust < own || !(follows || this.#steadfast.includes(node));
  }

  #hand(node: string, successor: string, nowMs: number): void {
    this.#lines = this.#lines.filter((line) => line.owner !== node || line.seen.id === null);
    for (const line of this.#lines) if (line.owner === node) line.owner = successor;
    for (const claim of this.#claims) if (claim.node === node) claim.node = successor;
    const inherited = this.#successions.filter((it) => it.node === node);
    for (const { predecessor, sinceMs } of [...inherited, { predecessor: node, sinceMs: nowMs }]) {
      const others = this.#successions.filter(
        (it) => it.node !== successor || it.predecessor !== predecessor,
      );
      this.#successions = others;
      if (predecessor !== successor) others.push({ node: successor, predecessor, sinceMs });
    }
  }

  /** Drops the other lines with all that rested on them. */
  #keepLines(keeps: (line: Line) => boolean, reason: DownReason): Map<string, DownReason> {
    this.#lines = this.#lines.filter(keeps);
    const down = this.#arrivals.filter((node) => this.#linesOf(node).length === 0);
    for (const node of this.#nodes()) if (!this.#arrivals.includes(node)) this.#arrivals.push(node);
    this.#arrivals = this.#arrivals.filter((node) => !down.includes(node));
    this.#successions = this.#successions.filter((it) => this.#arrivals.includes(it.node));
    this.#steadfast = this.#steadfast.filter((node) => this.#arrivals.includes(node));
    this.#claims = this.#claims.filter(({ node, tie }) =>
      this.#linesOf(node).some(({ via, seen, proven }) =>
        this.#possible(node, { node: seen }, tiesBy(via, seen, proven)).includes(tie),
      ),
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

  /** Index in `trusts` of the best line that names the node. */
  #trustOf(node: string): number {
    const named = this.#linesOf(node).filter((line) => line.seen.id !== null);
    return Math.min(...named.map((line) => trusts.indexOf(line.seen.trust)));
  }
}

/** Part of a node by which the two registries are compared. */
export function outlineOf({ id, port, info, sources }: NodeInfo): unknown {
  return {
    id,
    port,
    info,
    sources: sources.map(({ firstSeenAt, lastSeenAt, expiresAt, ...source }) => source),
  };
}

/** The same part, from the lines. */
export function outlineOfLines({
  id,
  lines,
}: {
  readonly id: string;
  readonly lines: readonly Line[];
}): unknown {
  const port = lines[0]?.seen.port;
  const isFromSigned = lines.some((line) => isSigned(line.seen));
  const heeded = lines.filter((line) => line.seen.port === port && (!isFromSigned || isSigned(line.seen)));
  const infos = heeded.map((line) => line.seen.info);
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
  const byProof = Number(a.proven.length === 0) - Number(b.proven.length === 0);
  return (
    byTrust || byProof || b.changedMs - a.changedMs || (`${a.via} ${a.key}` < `${b.via} ${b.key}` ? -1 : 1)
  );
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

function provenBy({ node: seen, heardMs }: Alive): string[] {
  if (heardMs === null) return [];
  return listedBy({ ...seen, addresses: seen.addresses.filter(({ reach }) => reach === "source") });
}

function isSigned({ trust }: SeenNode): boolean {
  return trust === "signed";
}

/** Ties of a claim: its announcer if it has no name, and its proven endpoints. */
function tiesBy(via: string, seen: SeenNode, proven: readonly string[]): string[] {
  const announcers = seen.id === null && seen.announcer !== undefined ? [`${via} by ${seen.announcer}`] : [];
  return [...announcers, ...proven];
}
