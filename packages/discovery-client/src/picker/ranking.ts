import { createHash } from "node:crypto";
import type { NodeInfo } from "@lmserv/discovery-core";
import type { Call } from "../forwarding/call.ts";
import type { NodeLoad } from "./load.ts";
import { isNamed, type PickPolicy } from "./policy.ts";

/** A node that can serve a call. */
export interface Candidate {
  readonly node: NodeInfo;
  /** Name of the model at that node, or null if the call names none. */
  readonly model: string | null;
  /** Reasons for its rank, for people. */
  readonly why: string;
}

interface RankedNode {
  readonly node: NodeInfo;
  readonly model: string | null;
  readonly load: NodeLoad;
  readonly isLoading: boolean;
  readonly isLoaded: boolean;
  readonly isBusy: boolean;
  /** Index in `prefer`, or its length. */
  readonly preference: number;
}

/** Times this near to each other are the same. */
const sameTimeFactor = 1.5;

/**
 * Orders suitable nodes, best first.
 *
 * The keys are: able to answer at all; `prefer`; loaded and idle before idle before busy; fewest requests of
 * ours; loaded; the node of the conversation; the shortest time to the first byte. Equal ones stay in the
 * order of their ids.
 */
export function rank(
  suitable: readonly { readonly node: NodeInfo; readonly model: string | null }[],
  call: Call,
  policy: PickPolicy,
  loadOf: (id: string) => NodeLoad,
): readonly Candidate[] {
  const { prefer = [] } = policy;
  return suitable
    .map(({ node, model }) => rankedOf(node, model, prefer, loadOf(node.id)))
    .map((ranked) => ({ ranked, keys: keysOf(ranked, call) }))
    .sort((a, b) => compareKeys(a.keys, b.keys) || compareText(a.ranked.node.id, b.ranked.node.id))
    .map(({ ranked }) => ({
      node: ranked.node,
      model: ranked.model,
      why: reasonsOf(ranked, prefer).join(", "),
    }));
}

function rankedOf(
  node: NodeInfo,
  model: string | null,
  prefer: readonly string[],
  load: NodeLoad,
): RankedNode {
  const preference = prefer.findIndex((name) => isNamed(node, name));
  const { health } = node;
  return {
    node,
    model,
    load,
    isLoading: health?.state === "loading",
    isLoaded: model !== null && (health?.loaded.includes(model) ?? false),
    isBusy: load.inFlight > 0 || health?.state === "busy",
    preference: preference < 0 ? prefer.length : preference,
  };
}

/** Compared one after the other; less goes first. */
function keysOf(
  { node, load, isLoading, isLoaded, isBusy, preference }: RankedNode,
  { conversation }: Call,
): readonly number[] {
  return [
    Number(load.hasFailed),
    Number(isLoading),
    preference,
    isBusy ? 2 : Number(!isLoaded),
    load.inFlight,
    Number(!isLoaded),
    conversation === null ? 0 : distanceOf(conversation, node.id),
    timeClassOf(load.firstByteMs),
  ];
}

/** A node that was never measured goes first, so that it is. */
function timeClassOf(firstByteMs: number | null): number {
  return firstByteMs === null ? 0 : Math.ceil(Math.log(Math.max(1, firstByteMs)) / Math.log(sameTimeFactor));
}

function reasonsOf(
  { load, isLoading, isLoaded, isBusy, preference }: RankedNode,
  prefer: readonly string[],
): readonly string[] {
  const { inFlight, firstByteMs, hasFailed } = load;
  const reasons = [
    hasFailed && "its last attempt failed",
    isLoading && "it loads a model",
    preference < prefer.length && `preferred (${preference + 1})`,
    isLoaded && "the model is loaded",
    isBusy ? "busy" : "idle",
    inFlight > 0 && `${inFlight} of ours under way`,
    firstByteMs !== null && `first byte after ${Math.round(firstByteMs)} ms`,
  ];
  return reasons.filter((reason) => reason !== false);
}

/**
 * Rendezvous hash: each conversation has its own order of all nodes, which arrivals and departures of others
 * do not change.
 */
function distanceOf(conversation: string, id: string): number {
  return createHash("sha1").update(`${conversation}\0${id}`).digest().readUInt32BE();
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((key, index) => key !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
