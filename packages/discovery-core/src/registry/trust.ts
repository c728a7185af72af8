import { compareReach, formatEndpoint } from "../addresses/address.ts";
import type { SeenAddress, SeenNode, Trust } from "../contract/node.ts";
import type { Alive } from "../contract/transport.ts";
import { visibleNode } from "./visible-node.ts";

// The one place that says what a claim may touch. Less trust never hides, moves, fills in or removes what has more.

/** What is said of a node, and what of that is proven. */
export interface Claim {
  readonly via: string;
  readonly node: SeenNode;
  /** Every endpoint at which the node is said to be, the most likely first. */
  readonly listed: readonly string[];
  /** Endpoints that a packet, a link or an answer from there has proven. */
  readonly proven: readonly string[];
}

/** A report with its texts fit to be shown, and what it says of endpoints. */
export interface FreshClaim extends Alive, Claim {}

/**
 * Reads a report, once.
 *
 * It proves endpoints where its node itself was heard, and from there. A signature proves an identity and no endpoint. What
 * others merely list may be their loopback, or another's.
 *
 * @param before - What its source said before; a repetition has the same node.
 */
export function claimOf(report: Alive, before: Claim | undefined): FreshClaim {
  const node = readNode(report.node, before?.node);
  const listed = before?.node === node ? before.listed : endpointsOf(node.addresses, node.port);
  const direct = report.heardMs === null ? [] : node.addresses.filter(({ reach }) => reach === "source");
  return { ...report, node, listed, proven: endpointsOf(direct, node.port) };
}

function readNode(said: SeenNode, before: SeenNode | undefined): SeenNode {
  if (!before) return visibleNode(said);
  const known = JSON.stringify(before);
  if (JSON.stringify(said) === known) return before;
  const node = visibleNode(said);
  return JSON.stringify(node) === known ? before : node;
}

function endpointsOf(addresses: readonly SeenAddress[], port: number): string[] {
  return [...addresses].sort(compareReach).map(({ address }) => formatEndpoint(address, port));
}

/** Best first. */
export const trustOrder: readonly Trust[] = ["signed", "announced", "identified"];

/** Negative when `a` is worth more. */
export function compareTrust(a: Trust, b: Trust): number {
  return trustOrder.indexOf(a) - trustOrder.indexOf(b);
}

/** Orders claims by trust; of two alike, one that proves where the node is goes before hearsay. */
export function compareClaims(a: Claim, b: Claim): number {
  return compareTrust(a.node.trust, b.node.trust) || Number(isHearsay(a)) - Number(isHearsay(b));
}

function isHearsay({ proven }: Claim): boolean {
  return proven.length === 0;
}

/** Claims that describe a node: the signed ones alone where there are any, and all otherwise. */
export function describing<Kind extends Claim>(claims: readonly Kind[]): readonly Kind[] {
  const signed = claims.filter(isSigned);
  return signed.length > 0 ? signed : claims;
}

function isSigned({ node }: Claim): boolean {
  return node.trust === "signed";
}

/** Trust of the best claim that names an identity, or null where none does. */
export function trustOfIdentity(claims: Iterable<Claim>): Trust | null {
  let best: Trust | null = null;
  for (const { node } of claims) {
    if (node.id !== null && (best === null || compareTrust(node.trust, best) < 0)) best = node.trust;
  }
  return best;
}

/** Endpoints that a source has proven: now, or before and it lists them still. */
export function keptProof({ node, listed, proven }: Claim, before: Claim | undefined): readonly string[] {
  if (!before || before.node.id !== node.id || before.proven.length === 0) return proven;
  return listed.filter((endpoint) => proven.includes(endpoint) || before.proven.includes(endpoint));
}

/**
 * What makes one node of a claim and others: endpoints that it has proven, and its announcer where it names no identity.
 * The word of an announcer counts on its own medium only.
 */
export function tiesOf({ via, node, proven }: Claim): readonly string[] {
  if (node.id !== null || node.announcer === undefined) return proven;
  return [`${via}\0${node.announcer}`, ...proven];
}

/** Those of some ties that a node with these claims can have: a signed one is nowhere but where a signature says. */
export function admissible(ties: readonly string[], claims: readonly Claim[]): readonly string[] {
  const signed = claims.filter(isSigned);
  if (signed.length === 0) return ties;
  const listed = new Set(signed.flatMap((claim) => claim.listed));
  return ties.filter((tie) => listed.has(tie));
}

/** Whether a report says that its node was heard where it is after a moment. */
export function answersSince({ heardMs, proven }: FreshClaim, sinceMs: number): boolean {
  return heardMs !== null && heardMs > sinceMs && proven.length > 0;
}
