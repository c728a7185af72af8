import assert from "node:assert/strict";
import type { Alive } from "@lmserv/discovery-core/transport";
import { collectFaults } from "./faults.ts";
import { rule, type TransportRule } from "./rule.ts";
import { track } from "./stage.ts";
import { assertValidNode } from "./validity.ts";
import { slotOf } from "./watch.ts";

const hostileInput = rule("hostile-input", "hostile input is dropped and does no harm", async (stage) => {
  const { fixture } = stage;
  assert.ok(fixture.hostile, 'the fixture has no hostile(): supply it, or skip "hostile-input" and say why');
  const stimuli = fixture.hostile();
  const session = await stage.open();
  const watch = stage.watch(session);
  if (session.announce) await stage.announce(session, stage.newNode());
  let count = 0;
  const faults = await collectFaults(async () => {
    for (const stimulus of stimuli) {
      count += 1;
      await stimulus();
    }
    await fixture.advance(0);
  });
  assert.ok(count > 0, "the fixture's hostile() brings nothing");
  assert.deepEqual(faults, [], "hostile input made something throw");
  assert.equal(watch.ending.kind, "running", "hostile input ended a browse");
  const valid = await stage.newcomer();
  await stage.until(() => watch.sees(valid), "a valid node is still seen");
  for (const seen of watch.seen) if (seen.kind === "alive") assertValidNode(seen.node);
});

/** Size of a medium that repeats the reports of a few nodes. */
const floodNodes = 8;
const floodRounds = 60;

const slowConsumer = rule(
  "slow-consumer",
  "what waits grows with the nodes, not with the reports",
  async (stage) => {
    const session = await stage.open();
    const watch = stage.watch(session);
    const iterator = stage.iterate(session);
    const nodes = Array.from({ length: floodNodes }, () => stage.newNode());
    const first = track(iterator.next());
    for (const node of nodes) await stage.fixture.appear(node);
    await stage.within(first.promise, "a first node is seen");
    for (let round = 0; round < floodRounds; round += 1) {
      for (const node of nodes) await stage.fixture.appear({ ...node, info: `round ${round}` });
    }
    const isLast = (seen: Alive | undefined): boolean => seen?.node.info === `round ${floodRounds - 1}`;
    const isOver = (): boolean => nodes.every((node) => isLast(watch.reportsOf(node).at(-1)));
    await stage.until(isOver, "a quick consumer has the last report of each node");
    const { taken } = await stage.drain(iterator, floodNodes * floodRounds * 4);
    const alive = taken.filter((seen) => seen.kind === "alive");
    const keys = new Set(alive.map(slotOf));
    assert.ok(keys.size > 0, "nothing was observed while the consumer was slow");
    // Reports made while this is being read did not wait; they belong to the last round, as the latest
    // waiting ones do.
    const outdated = alive.filter((seen) => !isLast(seen));
    assert.ok(outdated.length <= keys.size, `${outdated.length} old reports of ${keys.size} nodes waited`);
  },
);

/** Nodes above the bound. */
const surplusNodes = 32;

const capacity = rule("capacity", "no more nodes are kept than the bound", async (stage) => {
  const { fixture } = stage;
  const watch = stage.watch(await stage.open());
  const slow = stage.iterate(await stage.open());
  const first = await stage.newcomer();
  await stage.within(slow.next(), "a first node is seen");
  for (let count = 0; count < fixture.maxNodes + surplusNodes; count += 1) await stage.newcomer();
  await stage.until(() => watch.sees(first), "the first node is seen");
  const held = watch.countHeld(stage.clock.now());
  assert.ok(held <= fixture.maxNodes, `${held} nodes are reported, and ${fixture.maxNodes} are the bound`);
  const { taken } = await stage.drain(slow, (fixture.maxNodes + surplusNodes) * 4);
  // Reports made while this is being read did not wait.
  const waiting = new Set(taken.flatMap((seen) => ("key" in seen ? [slotOf(seen)] : []))).size;
  assert.ok(waiting <= fixture.maxNodes, `${waiting} nodes waited, and ${fixture.maxNodes} are the bound`);
});

export const boundRules: readonly TransportRule[] = [hostileInput, slowConsumer, capacity];
