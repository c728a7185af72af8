import assert from "node:assert/strict";
import type { DiscoveryError } from "@lmserv/discovery-core";
import type { Capabilities } from "./fixture.ts";
import { rule, type TransportRule } from "./rule.ts";
import type { Stage } from "./stage.ts";

const announces = (capabilities: Capabilities): boolean => capabilities.announces;

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
  announces,
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
  announces,
);

const farewell = rule(
  "farewell",
  "disposing a session says goodbye for what it still announces",
  async (stage) => {
    const { session, watch, node } = await announceAndSee(stage);
    await stage.within(session[Symbol.asyncDispose](), "the session is disposed");
    await stage.until(() => watch.lost(node, "goodbye"), "the other host hears the goodbye");
  },
  announces,
);

const nameConflict = rule(
  "name-conflict",
  "a node whose chosen name is taken has another, and NAME_CONFLICT is reported",
  async (stage) => {
    const name = "the one and only";
    const reports: DiscoveryError[] = [];
    const holder = await stage.open();
    const rival = await stage.open(undefined, { report: (error) => reports.push(error) });
    const [held, renamed] = [stage.newNode(), stage.newNode()];
    await stage.announce(holder, { ...held, name });
    await stage.announce(rival, { ...renamed, name });
    const isReported = (): boolean => reports.some(({ code }) => code === "NAME_CONFLICT");
    await stage.until(isReported, "a name that is taken is reported");
    const watch = stage.watch(await stage.open());
    await stage.until(() => [held, renamed].every((node) => watch.sees(node)), "both nodes are seen");
  },
  announces,
);

export const announcingRules: readonly TransportRule[] = [announce, update, farewell, nameConflict];
