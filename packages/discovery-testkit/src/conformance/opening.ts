import assert from "node:assert/strict";
import { newHandles, openHandles } from "./handles.ts";
import { rule, type TransportRule } from "./rule.ts";
import { track } from "./stage.ts";

const inert = rule("inert", "making a transport opens nothing and sends nothing", async (stage) => {
  const handles = await openHandles();
  const sent = stage.fixture.sent();
  stage.fixture.transport();
  await stage.fixture.advance(0);
  assert.equal(stage.fixture.sent(), sent, "something was sent before the transport was opened");
  assert.deepEqual(await newHandles(handles), [], "something was opened before the transport was");
});

const capabilities = rule("capabilities", "a session can do what is declared, and no more", async (stage) => {
  const { announces, reconfirms } = stage.capabilities;
  const session = await stage.open();
  assert.equal(session.announce !== undefined, announces, `announces is declared ${announces}`);
  assert.equal(session.reconfirm !== undefined, reconfirms, `reconfirms is declared ${reconfirms}`);
});

const sessions = rule("sessions", "two sessions of one transport are independent", async (stage) => {
  const transport = stage.fixture.transport();
  const first = await stage.open(transport);
  const second = await stage.open(transport);
  const watch = stage.watch(second);
  const before = await stage.newcomer();
  await stage.until(() => watch.sees(before), "the second session sees a node");
  await stage.within(first[Symbol.asyncDispose](), "the first session is disposed");
  const after = await stage.newcomer();
  await stage.until(
    () => watch.sees(after),
    "the second session sees another node after the first has ended",
  );
});

const disposal = rule(
  "disposal",
  "disposal ends browses without error and may be repeated",
  async (stage) => {
    const session = await stage.open();
    const pending = stage.iterate(session);
    const cold = stage.iterate(session);
    const step = track(pending.next());
    await stage.fixture.advance(0);
    const dispose = (): PromiseLike<void> => session[Symbol.asyncDispose]();
    await stage.within(Promise.all([dispose(), dispose()]), "the session is disposed twice at once");
    await stage.within(dispose(), "the session is disposed once more");
    let last = await stage.within(step.promise, "disposal ends a pending next()");
    // Observations from before may still be delivered; on this silent medium there are few.
    for (let steps = 0; !last.done && steps < 10; steps += 1) {
      last = await stage.within(pending.next(), "next() after disposal returns");
    }
    assert.ok(last.done, "the browse of a disposed session goes on");
    for (const iterator of [pending, cold]) {
      const { done } = await stage.within(iterator.next(), "next() after disposal returns");
      assert.ok(done, "next() after disposal brings something");
    }
  },
);

export const openingRules: readonly TransportRule[] = [inert, capabilities, sessions, disposal];
