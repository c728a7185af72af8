import assert from "node:assert/strict";
import { type DiscoveryError, isDiscoveryError } from "@lmserv/discovery-core";
import type { Fixture } from "./fixture.ts";
import { rule, type TransportRule } from "./rule.ts";

/** Longer than any disposal sends. */
const afterwardsMs = 1_000;

/** @throws when the fixture cannot fail and restore its medium. */
function mediumOf({ fail, restore }: Fixture): Required<Pick<Fixture, "fail" | "restore">> {
  assert.ok(
    fail && restore,
    "the fixture has no fail() and restore(): supply them, or skip the rule and say why",
  );
  return { fail, restore };
}

const failure = rule(
  "failure",
  "a medium that dies is an error of each browse, for good, and reported where there is none",
  async (stage) => {
    const medium = mediumOf(stage.fixture);
    const browsed = await stage.open();
    const watch = stage.watch(browsed);
    const reports: DiscoveryError[] = [];
    const idle = await stage.open(undefined, { report: (error) => reports.push(error) });
    const { announces } = stage.capabilities;
    if (announces) await stage.announce(idle, stage.newNode());
    await stage.fixture.advance(0);
    await medium.fail();
    const isReported = (): boolean => reports.some((error) => hasCode(error, "TRANSPORT_FAILED"));
    if (announces) await stage.until(isReported, "a session without a browse reports it");
    await stage.until(() => watch.ending.kind !== "running", "the browse ends");
    await medium.restore();
    // An idle session may not have noticed the failure.
    const late = (announces ? [browsed, idle] : [browsed]).map((session) => stage.watch(session));
    await stage.until(() => late.every(({ ending }) => ending.kind !== "running"), "a later browse ends");
    for (const { ending } of [watch, ...late]) {
      assert.ok(ending.kind === "threw", "a browse ended as if all were well");
      assert.ok(hasCode(ending.error, "TRANSPORT_FAILED"), `a browse threw ${ending.error}`);
    }
  },
  ({ supervised }) => !supervised,
);

const noGoodbye = rule(
  "no-goodbye",
  "a failed session says no goodbye and revokes nothing",
  async (stage) => {
    const { fixture } = stage;
    const medium = mediumOf(fixture);
    const reports: DiscoveryError[] = [];
    const session = await stage.open(undefined, { report: (error) => reports.push(error) });
    const handle = await stage.announce(session, stage.newNode());
    await stage.announce(session, stage.newNode());
    await medium.fail();
    await stage.until(
      () => reports.some(({ code }) => code === "TRANSPORT_FAILED"),
      "the failure is reported",
    );
    await medium.restore();
    const sent = fixture.sent();
    await stage.within(handle[Symbol.asyncDispose](), "a handle is disposed");
    await stage.within(session[Symbol.asyncDispose](), "the session is disposed");
    await fixture.advance(afterwardsMs);
    assert.equal(fixture.sent(), sent, "a failed session sent something when it was disposed");
  },
  ({ announces, supervised }) => announces && !supervised,
);

const survival = rule(
  "survival",
  "browses and announcements outlive the medium, and the browses say that it was lost",
  async (stage) => {
    const { announces } = stage.capabilities;
    const medium = mediumOf(stage.fixture);
    const session = await stage.open();
    const watch = stage.watch(session);
    const own = stage.newNode();
    if (announces) await stage.announce(await stage.open(), own);
    const kinds = (): readonly string[] => watch.seen.map(({ kind }) => kind);
    await stage.until(() => !announces || watch.sees(own), "the announced node is seen");
    await medium.fail();
    await stage.until(() => kinds().includes("lost"), "the browse says that the medium is lost");
    await medium.restore();
    await stage.until(() => kinds().includes("recovered"), "the browse says that there is a session again");
    const isBack = (): boolean =>
      watch.seen
        .slice(kinds().indexOf("lost"))
        .some((seen) => seen.kind === "alive" && seen.node.port === own.port);
    await stage.until(() => !announces || isBack(), "the node is announced again");
    const newcomer = await stage.newcomer();
    await stage.until(() => watch.sees(newcomer), "a newcomer is seen");
    assert.equal(watch.ending.kind, "running");
  },
  ({ supervised }) => supervised === true,
);

/** True for such an error, and for an aggregate of such errors. */
function hasCode(error: unknown, code: DiscoveryError["code"]): boolean {
  if (error instanceof AggregateError) {
    return error.errors.length > 0 && error.errors.every((one) => hasCode(one, code));
  }
  return isDiscoveryError(error) && error.code === code;
}

export const failureRules: readonly TransportRule[] = [failure, noGoodbye, survival];
