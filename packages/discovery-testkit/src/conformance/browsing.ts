import assert from "node:assert/strict";
import { viasOf } from "@lmserv/discovery-core/transport";
import { rule, type TransportRule } from "./rule.ts";
import { track } from "./stage.ts";
import { assertValid } from "./validity.ts";

const cold = rule("cold", "a browse sends nothing before its first next()", async (stage) => {
  const session = await stage.open();
  const sent = stage.fixture.sent();
  const iterator = stage.iterate(session);
  await stage.fixture.advance(0);
  assert.equal(stage.fixture.sent(), sent, "something was sent before next()");
  track(iterator.next());
  await stage.newcomer();
  if (session.announce) await stage.announce(session, stage.newNode());
  await stage.until(() => stage.fixture.sent() > sent, "the fixture counts what is sent");
});

const reports = rule("reports", "reports a node of an independent host, with valid fields", async (stage) => {
  const transport = stage.fixture.transport();
  const watch = stage.watch(await stage.open(transport));
  const present = stage.newNode();
  await stage.fixture.appear(present);
  await stage.until(() => watch.sees(present), "a node that appears is reported");
  const late = stage.watch(await stage.open());
  await stage.until(() => late.sees(present), "a node that is there already is reported");
  for (const seen of [...watch.seen, ...late.seen]) assertValid(seen, viasOf(transport));
  for (const { node } of watch.reportsOf(present)) {
    assert.ok(node.id === null || node.id === present.id, `the node ${present.id} is reported as ${node.id}`);
  }
});

const browses = rule("browses", "two browses of one session are independent", async (stage) => {
  const session = await stage.open();
  const ending = new AbortController();
  const first = stage.watch(session, ending);
  const second = stage.watch(session);
  const before = await stage.newcomer();
  await stage.until(() => first.sees(before) && second.sees(before), "both see a node");
  ending.abort();
  await stage.until(() => first.ending.kind !== "running", "the first has ended");
  const after = await stage.newcomer();
  await stage.until(() => second.sees(after), "the second sees another node after the first has ended");
});

const settled = rule("settled", "each browse settles once, also on a silent medium", async (stage) => {
  const transport = stage.fixture.transport();
  const session = await stage.open(transport);
  for (const _ of ["the first browse", "the second"]) {
    const watch = stage.watch(session);
    const count = (via: string): number =>
      watch.seen.filter((seen) => seen.kind === "settled" && seen.via === via).length;
    const vias = viasOf(transport);
    await stage.until(() => vias.every((via) => count(via) > 0), "the browse settles");
    await stage.fixture.advance(stage.ttlMs * 2);
    for (const via of vias) assert.equal(count(via), 1, `${via} settled ${count(via)} times`);
  }
});

const repeats = rule("repeats", "a node that stays is confirmed before its time runs out", async (stage) => {
  const watch = stage.watch(await stage.open());
  const nodes = [await stage.newcomer()];
  if (stage.capabilities.announces) {
    const own = stage.newNode();
    await stage.announce(await stage.open(), own);
    nodes.push(own);
  }
  await stage.until(() => nodes.every((node) => watch.sees(node)), "the nodes are seen");
  const held = watch.countHeld(stage.clock.now());
  for (let step = 0; step < 60; step += 1) {
    await stage.fixture.advance(stage.ttlMs / 20);
    const still = watch.countHeld(stage.clock.now());
    assert.ok(still >= held, `of ${held} nodes that are there, ${held - still} were not confirmed in time`);
  }
});

const evidence = rule("evidence", "a node that fell silent is no longer confirmed", async (stage) => {
  const watch = stage.watch(await stage.open());
  const node = await stage.newcomer();
  await stage.until(() => watch.sees(node), "the node is seen");
  await stage.fixture.disappear(node);
  for (let step = 0; step < 3; step += 1) await stage.fixture.advance(stage.ttlMs);
  // Late if another program keeps the time.
  await stage.until(
    () => watch.countHeld(stage.clock.now()) === 0,
    "a node that is not there is not reported",
  );
});

const reconfirm = rule(
  "reconfirm",
  "tells whether a doubted node is there",
  async (stage) => {
    const session = await stage.open();
    const watch = stage.watch(session);
    const [crashed, well] = [await stage.newcomer(), await stage.newcomer()];
    await stage.until(() => watch.sees(crashed) && watch.sees(well), "the nodes are seen");
    await stage.fixture.disappear(crashed);
    const { signal } = new AbortController();
    const keys = [...watch.reportsOf(crashed), ...watch.reportsOf(well)].map(({ key }) => key);
    for (const key of ["no such key", ...keys]) {
      await stage.within(session.reconfirm?.(key, { signal }), "the question leaves");
    }
    await stage.until(() => watch.lost(crashed, "unreachable"), "the crashed node is reported unreachable");
    assert.ok(!watch.lost(well, "unreachable"), "a node that answers is reported unreachable");
  },
  ({ reconfirms }) => reconfirms,
);

export const browsingRules: readonly TransportRule[] = [
  cold,
  reports,
  browses,
  settled,
  repeats,
  evidence,
  reconfirm,
];
