import assert from "node:assert/strict";
import type { TransportSession } from "@lmserv/discovery-core/transport";
import { collectFaults } from "./faults.ts";
import { newHandles, openHandles } from "./handles.ts";
import { rule, type TransportRule } from "./rule.ts";
import { type Stage, track } from "./stage.ts";

/** Uses every capability of a session, and leaves everything as it is. */
async function live(stage: Stage, session: TransportSession): Promise<void> {
  const node = await stage.newcomer();
  const watch = stage.watch(session);
  await stage.until(() => watch.sees(node), "a node is seen");
  track(stage.iterate(session).next());
  const broken = stage.iterate(session);
  track(broken.next());
  await stage.fixture.advance(0);
  track(broken.return?.());
  if (session.announce) await stage.announce(session, stage.newNode());
  const [seen] = watch.reportsOf(node);
  const { signal } = new AbortController();
  if (seen) await stage.within(session.reconfirm?.(seen.key, { signal }), "the question leaves");
}

const handles = rule(
  "handles",
  "a disposed session leaves no timer, no socket and no request",
  async (stage) => {
    const before = await openHandles();
    const session = await stage.open();
    await live(stage, session);
    await stage.within(session[Symbol.asyncDispose](), "the session is disposed");
    assert.equal(stage.clock.pending, 0, `${stage.clock.pending} timers are left`);
    assert.deepEqual(await newHandles(before), [], "the process is kept alive");
  },
);

const rejections = rule(
  "rejections",
  "nothing that is abandoned becomes an unhandled rejection",
  async (stage) => {
    const faults = await collectFaults(async () => {
      const session = await stage.open();
      await live(stage, session);
      const controller = new AbortController();
      const abandoned = stage.watch(session, controller);
      controller.abort();
      await stage.until(() => abandoned.ending.kind !== "running", "the browse has ended");
      await stage.within(session[Symbol.asyncDispose](), "the session is disposed");
      const survivor = await stage.open();
      await live(stage, survivor);
      await stage.fixture.fail?.();
      await stage.fixture.advance(0);
      await stage.within(survivor[Symbol.asyncDispose](), "the other session is disposed");
    });
    assert.deepEqual(faults, [], "rejections were left unhandled");
  },
);

export const leftoverRules: readonly TransportRule[] = [handles, rejections];
