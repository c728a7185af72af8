import { compareReach, formatEndpoint } from "../addresses/address.ts";
import type { SeenAddress, SeenNode, Trust } from "../contract/node.ts";
import type { Alive } from "../contract/transport.ts";
import { visibleNode } from "./visible-node.ts";

// Rules for what a claim may affect, in one place: less trust never hides, moves, fills in or removes what
// has more.

/** Statement about a node, with its proven part. */
export interface Claim {
  readonly via: string;
  readonly node: SeenNode;
  /** Every claimed endpoint of the node, the most likely first. */
  readonly listed: readonly string[];
  /** Endpoints that a packet, a link or an answer from there has proven. */
  readonly proven: readonly string[];
}

/** Report with texts fit to be shown, and its claims on endpoints. */
export interface FreshClaim extends Alive, Claim {}

/**
 * Reads a report, once.
 *
 * It proves endpoints at which its node itself was heard. A signature proves an identity and no endpoint.
 * Merely listed endpoints may be another host's loopback, or another node's.
 *
 * @param before - Former claim of its source; a repetition has the same node.
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

/** Negative if `a` is trusted more. */
export function compareTrust(a: Trust, b: Trust): number {
  return trustOrder.indexOf(a) - trustOrder.indexOf(b);
}

/** Orders claims by trust; of equals, one that proves the node's place precedes hearsay. */
export function compareClaims(a: Claim, b: Claim): number {
  return compareTrust(a.node.trust, b.node.trust) || Number(isHearsay(a)) - Number(isHearsay(b));
}

function isHearsay({ proven }: Claim): boolean {
  return proven.length === 0;
}

/** Claims that describe a node: signed ones alone if there are any, otherwise all. */
export function describing<Kind extends Claim>(claims: readonly Kind[]): readonly Kind[] {
  const signed = claims.filter(isSigned);
  return signed.length > 0 ? signed : claims;
}

function isSigned({ node }: Claim): boolean {
  return node.trust === "signed";
}

/** Trust of the best claim that names an identity, or null if none does. */
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
 * Ties that merge a claim with others into one node: its proven endpoints, and its announcer if it names no
 * identity.
 *
 * An announcer counts on its own medium only.
 */
export function tiesOf({ via, node, proven }: Claim): readonly string[] {
  if (node.id !== null || node.announcer === undefined) return proven;
  return [`${via}\0${node.announcer}`, ...proven];
}

/** Ties that a node with these claims can have: a signed node is only at its signed endpoints. */
export function admissible(ties: readonly string[], claims: readonly Claim[]): readonly string[] {
  const signed = claims.filter(isSigned);
  if (signed.length === 0) return ties;
  const listed = new Set(signed.flatMap((claim) => claim.listed));
  return ties.filter((tie) => listed.has(tie));
}

/** True if a report's node was heard at its place after a moment. */
export function answersSince({ heardMs, proven }: FreshClaim, sinceMs: number): boolean {
  return heardMs !== null && heardMs > sinceMs && proven.length > 0;
}
