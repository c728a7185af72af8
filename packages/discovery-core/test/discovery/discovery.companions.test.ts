import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { standby, type Transport } from "../../src/authors.ts";
import { createDiscovery, type Discovery, type RegistryChange } from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";
import { alive, gone } from "../observations.ts";

// Tests of the transports of one discovery helping each other.

let clock: VirtualClock;
let one: FakeTransport;
let other: FakeTransport;
const opened: Discovery[] = [];

beforeEach(() => {
  clock = new VirtualClock();
  one = new FakeTransport("one");
  other = new FakeTransport("other");
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((discovery) => discovery[Symbol.asyncDispose]()));
  expect(clock.pending).toBe(0);
});

async function open(...transports: readonly Transport[]): Promise<Discovery> {
  const discovery = await createDiscovery({ transports, clock });
  opened.push(discovery);
  return discovery;
}

function attributesOn({ announced }: FakeTransport): unknown {
  return [...announced].map(({ attributes }) => attributes);
}

describe("an announcement", () => {
  test("says on every transport what any of them wants said", async () => {
    one.attributes = { mesh: "7946" };
    other.attributes = { mesh: "7947", fleet: "lab" };
    const discovery = await open(one, other);
    await discovery.announce({ port: 8000, attributes: { zone: "a" } });
    const said = { zone: "a", mesh: "7946", fleet: "lab" };
    expect([one, other].map(attributesOn)).toEqual([[said], [said]]);
  });

  test("goes before what a transport wants said", async () => {
    one.attributes = { mesh: "7946" };
    const discovery = await open(one);
    await discovery.announce({ port: 8000, attributes: { mesh: "8000" } });
    expect(attributesOn(one)).toEqual([{ mesh: "8000" }]);
  });

  test("says it still when it changes, as it is by then", async () => {
    one.attributes = { mesh: "7946" };
    const discovery = await open(one, other);
    const registration = await discovery.announce({ port: 8000, info: "idle" });
    one.attributes = { mesh: "7947" };
    await registration.update({ info: "busy", attributes: { zone: "a" } });
    expect(attributesOn(other)).toEqual([{ mesh: "7947", zone: "a" }]);
  });

  test("says it also for transports of which one stands by the other", async () => {
    one.attributes = { mesh: "7946" };
    other.attributes = { fleet: "lab" };
    const third = new FakeTransport("third");
    const discovery = await open(standby(one, other), third);
    await discovery.announce({ port: 8000 });
    expect(attributesOn(third)).toEqual([{ mesh: "7946", fleet: "lab" }]);
  });
});

describe("a transport that follows", () => {
  function follow(fake: FakeTransport): { readonly seen: unknown[]; readonly end: () => void } {
    const seen: unknown[] = [];
    const onChange = ({ kind, node }: RegistryChange): void => void seen.push([kind, node.id, node.info]);
    const end = fake.context?.follow?.(onChange);
    if (!end) throw new TypeError("there is nothing to follow");
    return { seen, end };
  }

  test("has all browsed, and is told of what is listed and of every change", async () => {
    const discovery = await open(one, other);
    const early = follow(one);
    other.say(alive({ id: "box", info: "idle" }));
    await clock.advance(0);
    const late = follow(one);
    other.say(alive({ id: "box", info: "busy" }), gone());
    await clock.advance(0);
    const changes = [
      ["updated", "box", "busy"],
      ["down", "box", "busy"],
    ];
    expect(late.seen).toEqual([["up", "box", "idle"], ...changes]);
    expect(early.seen).toEqual(late.seen);
    expect([one.browses.size, other.browses.size, discovery.registry.listAlive()]).toEqual([1, 1, []]);
  });

  test("is told nothing more once it has enough", async () => {
    await open(one, other);
    const { seen, end } = follow(one);
    end();
    other.say(alive({ id: "box" }));
    await clock.advance(0);
    expect(seen).toEqual([]);
  });

  test("has to wait until all are open", async () => {
    const hasty: Transport = {
      name: "hasty",
      open: async (context) => Promise.reject(context.follow?.(() => {})),
    };
    const { warnings } = await open(one, hasty);
    const message = "there is nothing to follow before all transports are open";
    expect(warnings).toMatchObject([{ code: "TRANSPORT_UNAVAILABLE", cause: new TypeError(message) }]);
  });

  test("cannot where it is the only one", async () => {
    await open(one);
    expect(one.context?.follow).toBeUndefined();
  });
});
