import assert from "node:assert/strict";
import { hasCode } from "./ending.ts";
import { rule, type TransportRule } from "./rule.ts";
import type { Stage } from "./stage.ts";

/** Announces on one host and returns when another sees it. */
async function announceAndSee(stage: Stage) {
  const session = await stage.open();
  const watch = stage.watch(await stage.open());
  const node = stage.newNode();
  const handle = await stage.announce(session, node);
  await stage.until(() => watch.sees(node), "the other host sees the announced node");
  return { session, watch, node, handle };
}

const announce = rule(
  "announce",
  "an announced node is seen by another host until its handle is disposed",
  async (stage) => {
    const { watch, node, handle } = await announceAndSee(stage);
    for (const { node: seen } of watch.reportsOf(node)) {
      assert.equal(seen.info, node.info);
      assert.equal(seen.id, node.id);
    }
    await stage.within(handle[Symbol.asyncDispose](), "the handle is disposed");
    await stage.until(() => watch.lost(node, "goodbye"), "the other host hears the goodbye");
  },
  "announces",
);

const update = rule(
  "update",
  "an announced node can say other things of itself without a goodbye",
  async (stage) => {
    const { watch, node, handle } = await announceAndSee(stage);
    const changed = { ...node, info: `${node.info} changed` };
    await stage.within(handle.update(changed, new AbortController()), "the announcement is updated");
    const isChanged = () => watch.reportsOf(node).at(-1)?.node.info === changed.info;
    await stage.until(isChanged, "the other host sees what changed");
    const goodbyes = watch.seen.filter(({ kind }) => kind === "gone");
    assert.deepEqual(goodbyes, [], "an update was seen as a goodbye");
  },
  "announces",
);

const farewell = rule(
  "farewell",
  "disposing a session says goodbye for what it still announces",
  async (stage) => {
    const { session, watch, node } = await announceAndSee(stage);
    await stage.within(session[Symbol.asyncDispose](), "the session is disposed");
    await stage.until(() => watch.lost(node, "goodbye"), "the other host hears the goodbye");
  },
  "announces",
);

const nameConflict = rule(
  "name-conflict",
  "a chosen name that another host holds is refused with NAME_CONFLICT",
  async (stage) => {
    const name = "the one and only";
    const [holder, rival] = [await stage.open(), await stage.open()];
    const held = { ...stage.newNode(), name };
    await stage.announce(holder, held);
    const outcome = await stage.announce(rival, { ...stage.newNode(), name }).then(
      () => "accepted",
      (error: unknown) => error,
    );
    assert.ok(hasCode(outcome, "NAME_CONFLICT"), `a name that is taken: ${outcome}`);
    const watch = stage.watch(rival);
    await stage.until(() => watch.sees(held), "the holder of the name is still seen");
  },
  "announces",
);

export const announcingRules: readonly TransportRule[] = [announce, update, farewell, nameConflict];
