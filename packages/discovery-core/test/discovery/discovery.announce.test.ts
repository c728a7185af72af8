import { MemoryNetwork, memory, seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDiscovery, type Discovery, DiscoveryError } from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";
import { alive } from "../observations.ts";

let clock: VirtualClock;
let network: MemoryNetwork;
let discovery: Discovery;
const others: Discovery[] = [];

beforeEach(async () => {
  clock = new VirtualClock();
  network = new MemoryNetwork();
  discovery = await open();
});

afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other[Symbol.asyncDispose]()));
});

async function open(...transports: Parameters<typeof createDiscovery>[0]["transports"]): Promise<Discovery> {
  const chosen = transports.length > 0 ? transports : [memory({ network })];
  const opened = await createDiscovery({ transports: chosen, clock, random: seededRandom(1) });
  others.push(opened);
  return opened;
}

async function found(by: Discovery): Promise<unknown[]> {
  const [nodes] = await Promise.all([by.discover({ timeoutMs: 10 }), clock.advance(10)]);
  return nodes.map(({ id, self }) => ({ id, self }));
}

describe("an announced node", () => {
  test("is listed here as one's own, elsewhere as another's", async () => {
    const elsewhere = await open();
    await discovery.announce({ port: 8000, id: "box" });
    expect(await found(discovery)).toEqual([{ id: "box", self: true }]);
    expect(await found(elsewhere)).toEqual([{ id: "box", self: false }]);
  });

  test("has an identity of random bits unless it brings one", async () => {
    const { id } = await discovery.announce({ port: 8000 });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(await found(await open())).toEqual([{ id, self: false }]);
  });

  test("can say other things of itself, without a goodbye", async () => {
    const elsewhere = await open();
    const announcement = await discovery.announce({ port: 8000, id: "box", info: "idle", models: ["a"] });
    await found(elsewhere);
    const changes: unknown[] = [];
    const watching = (async () => {
      for await (const { kind, node } of elsewhere.watch()) changes.push([kind, node.info, node.models]);
    })();
    await clock.advance(0);
    await announcement.update({ models: ["a", "b"] });
    await announcement.update({ info: "busy" });
    await clock.advance(0);
    expect(changes).toEqual([
      ["up", "idle", ["a"]],
      ["updated", "idle", ["a", "b"]],
      ["updated", "busy", ["a", "b"]],
    ]);
    expect(() => announcement.update({ port: 0 })).toThrow(RangeError);
    await elsewhere[Symbol.asyncDispose]();
    await watching;
  });

  test("says goodbye when its announcement is disposed, once", async () => {
    const elsewhere = await open();
    const announcement = await discovery.announce({ port: 8000, id: "box" });
    await found(elsewhere);
    await announcement[Symbol.asyncDispose]();
    await announcement[Symbol.asyncDispose]();
    expect(await found(elsewhere)).toEqual([]);
  });

  test("says goodbye when the discovery is disposed", async () => {
    const elsewhere = await open();
    const announcement = await discovery.announce({ port: 8000, id: "box" });
    await found(elsewhere);
    await discovery[Symbol.asyncDispose]();
    await announcement[Symbol.asyncDispose]();
    expect(await found(elsewhere)).toEqual([]);
  });

  test("remains one's own while one of its announcements stands", async () => {
    const fake = new FakeTransport();
    const own = await open(fake);
    own.registry.listAlive();
    const first = await own.announce({ port: 8000, id: "box" });
    await own.announce({ port: 8000, id: "box", info: "again" });
    await first[Symbol.asyncDispose]();
    fake.say(alive({ id: "box" }));
    await clock.advance(0);
    expect(own.registry.listAlive()).toMatchObject([{ id: "box", self: true }]);
  });

  test("is not one's own after that", async () => {
    const fake = new FakeTransport();
    const own = await open(fake);
    own.registry.listAlive();
    const announcement = await own.announce({ port: 8000, id: "box" });
    await announcement[Symbol.asyncDispose]();
    fake.say(alive({ id: "box" }));
    await clock.advance(0);
    expect(own.registry.listAlive()).toMatchObject([{ id: "box", self: false }]);
  });

  test("is not one's own if it could not be announced", async () => {
    const fake = new FakeTransport();
    const own = await open(fake);
    fake.faults.announce = () => {
      throw new DiscoveryError("NAME_CONFLICT", "taken", { via: "fake" });
    };
    await expect(own.announce({ port: 8000, id: "box" })).rejects.toMatchObject({ code: "NAME_CONFLICT" });
    own.registry.listAlive();
    fake.say(alive({ id: "box" }));
    await clock.advance(0);
    expect(own.registry.listAlive()).toMatchObject([{ id: "box", self: false }]);
  });
});

describe("announcing", () => {
  test("throws a caller's mistake at once, and announces nothing", () => {
    expect(() => discovery.announce({ port: 0 })).toThrow(RangeError);
    expect(() => discovery.announce({ port: 8000, info: "a".repeat(251) })).toThrow(RangeError);
    expect(() => discovery.announce({ port: 8000, info: 7 as unknown as string })).toThrow(TypeError);
    expect(network.sent).toBe(0);
  });

  test("rejects with the caller's own reason, and announces nothing", async () => {
    const fake = new FakeTransport();
    const own = await open(fake);
    const reason = { why: "enough" };
    const signal = AbortSignal.abort(reason);
    await expect(own.announce({ port: 8000 }, { signal })).rejects.toBe(reason);
    expect(fake.announced.size).toBe(0);
  });

  test("fails where no transport can announce", async () => {
    const mute = await open(memory({ network, announces: false }));
    await expect(mute.announce({ port: 8000 })).rejects.toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: "none of the chosen transports can announce",
    });
  });

  test("succeeds with the first transport; the failure of another is a warning", async () => {
    const fake = new FakeTransport("failing");
    const both = await open(memory({ network }), fake);
    fake.faults.announce = () => {
      throw new DiscoveryError("SEND_FAILED", "no route", { via: "failing" });
    };
    await both.announce({ port: 8000, id: "box" });
    await clock.advance(0);
    expect(both.warnings).toMatchObject([{ code: "SEND_FAILED", via: "failing" }]);
    expect(both.transports.map(({ error }) => error)).toEqual([null, null]);
    expect(await found(discovery)).toEqual([{ id: "box", self: false }]);
  });

  test("rejects with everything when every transport fails", async () => {
    const fakes = [new FakeTransport("one"), new FakeTransport("two")];
    const both = await open(...fakes);
    for (const fake of fakes) {
      fake.faults.announce = () => {
        throw new DiscoveryError("SEND_FAILED", "no route", { via: fake.name });
      };
    }
    const failure = await both.announce({ port: 8000 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AggregateError);
    expect(failure).toMatchObject({ errors: [{ via: "one" }, { via: "two" }] });
  });
});
