import type { NodeInfo, NodeView } from "@lmserv/discovery-core";
import { type Clock, systemClock } from "@lmserv/discovery-core/transport";
import type { Call } from "../forwarding/call.ts";
import { Loads, type NodeLoad, type Reservation } from "./load.ts";
import { type NodeKey, NodeKeys } from "./node-keys.ts";
import { assertPolicy, type PickPolicy } from "./policy.ts";
import { type Candidate, rank } from "./ranking.ts";
import { type Obstacle, suitabilityOf } from "./suitability.ts";

export interface PickerOptions extends PickPolicy {
  /** Keys of nodes that require one; a node that requires another is not chosen. @default [] */
  readonly nodeKeys?: readonly NodeKey[];
  /** @default the system's */
  readonly clock?: Clock;
}

/** A node that is not chosen. */
export interface Rejection {
  readonly node: NodeInfo;
  readonly obstacle: Obstacle;
  /** Cause, for people. */
  readonly why: string;
}

/** Every listed node, in one list or the other. */
export interface Choice {
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly rejected: readonly Rejection[];
}

/** Chooses nodes for calls, by the knowledge at the moment of each. */
export interface Picker {
  /** Orders the listed nodes for a call; sends nothing. */
  choose(call: Call): Choice;
  /** Takes a place at a node, which the next choice sees at once. */
  reserve(node: NodeInfo): Reservation;
  /** Requests of this picker's users to a node. */
  loadOf(node: NodeInfo): NodeLoad;
  /** Key for a node, or null. */
  keyOf(node: NodeInfo): string | null;
}

/**
 * Makes a picker over a list of nodes, such as `discovery.registry`.
 *
 * @throws {TypeError} for a mistake in the options; the message names the value.
 */
export function createPicker(registry: NodeView, options: PickerOptions = {}): Picker {
  assertPolicy(options);
  const keys = new NodeKeys(options.nodeKeys);
  const loads = new Loads(options.clock ?? systemClock);
  return {
    choose: (call) => chooseAmong(registry.listAlive(), call, { policy: options, keys, loads }),
    reserve: ({ id }) => loads.reserve(id),
    loadOf: ({ id }) => loads.of(id),
    keyOf: (node) => keys.of(node),
  };
}

function chooseAmong(
  nodes: readonly NodeInfo[],
  call: Call,
  { policy, keys, loads }: { policy: PickPolicy; keys: NodeKeys; loads: Loads },
): Choice {
  const suitable: { node: NodeInfo; model: string | null }[] = [];
  const rejected: Rejection[] = [];
  for (const node of nodes) {
    const suitability = suitabilityOf(node, call, { policy, keys, nodes });
    if (suitability.kind === "suitable") suitable.push({ node, model: suitability.model });
    else rejected.push({ node, obstacle: suitability.obstacle, why: suitability.why });
  }
  return { candidates: rank(suitable, call, policy, (id) => loads.of(id)), rejected };
}
