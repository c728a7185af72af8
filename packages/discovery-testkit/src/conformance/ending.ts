import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { rule, type TransportRule } from "./rule.ts";
import { track } from "./stage.ts";

/** Bound on waiting reports of a silent medium: each member of a composition settles. */
const maxWaiting = 100;

const abort = rule("abort", "an abort rejects with its very reason", async (stage) => {
  const reason = { why: "a reason need not be an error" };
  const aborted = AbortSignal.abort(reason);
  const opening = stage.fixture.transport().open(stage.context, { signal: aborted });
  await stage.rejectsWith(opening, reason, "an open that was aborted before");
  const session = await stage.open();
  await stage.rejectsWith(stage.iterate(session, aborted).next(), reason, "a browse that was aborted before");
  const controller = new AbortController();
  const iterator = stage.iterate(session, controller.signal);
  const { pending } = await stage.drain(iterator, maxWaiting);
  controller.abort(reason);
  await stage.rejectsWith(pending.promise, reason, "a pending next()");
  const { done } = await stage.within(iterator.next(), "next() after an abort returns");
  assert.ok(done, "an aborted browse goes on");
  if (session.announce) {
    const announcing = session.announce(stage.newNode(), { signal: aborted });
    await stage.rejectsWith(announcing, reason, "an announce that was aborted before");
  }
});

const breaking = rule("break", "break settles at once, also on a silent medium", async (stage) => {
  const session = await stage.open();
  const iterator = stage.iterate(session);
  const { pending } = await stage.drain(iterator, maxWaiting);
  assert.ok(iterator.return, "a browse cannot be ended");
  const { done } = await stage.atOnce(iterator.return(), "return() settles while a next() is pending");
  assert.ok(done, "return() of a browse is not its end");
  await stage.atOnce(pending.promise, "return() ends a pending next()");
  const cold = stage.iterate(session);
  await stage.atOnce(cold.return?.(), "return() settles before the first next()");
});

const listeners = rule(
  "listeners",
  "nothing keeps listening to a signal that it needs no more",
  async (stage) => {
    const { signal } = new AbortController();
    const assertNone = (when: string): void =>
      assert.equal(getEventListeners(signal, "abort").length, 0, `a listener is left ${when}`);
    await stage.newcomer();
    const session = await stage.open(undefined, { signal });
    assertNone("after opening");
    const broken = stage.iterate(session, signal);
    await stage.within(broken.next(), "something is observed");
    await broken.return?.();
    assertNone("after break");
    if (stage.capabilities.announces) {
      await stage.announce(session, stage.newNode(), signal);
      assertNone("after announcing");
    }
    track(stage.iterate(session, signal).next());
    await stage.fixture.advance(0);
    await stage.within(session[Symbol.asyncDispose](), "the session is disposed");
    assertNone("after disposal");
  },
);

export const endingRules: readonly TransportRule[] = [abort, breaking, listeners];
