import { getEventListeners } from "node:events";
import { MemoryNetwork, memory, seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDiscovery, type Discovery, type NodeInfo, type RegistryChange } from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";
import { alive, at, gone } from "../observations.ts";

let clock: VirtualClock;
let network: MemoryNetwork;
let discovery: Discovery;

beforeEach(async () => {
  clock = new VirtualClock();
  network = new MemoryNetwork();
  discovery = await createDiscovery({ transports: [memory({ network })], clock, random: seededRandom(1) });
});

afterEach(async () => {
  await discovery[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

/** Replaces the memory transport by a fake that the test controls. */
async function useFake(options: { readonly capacity?: number } = {}): Promise<FakeTransport> {
  await discovery[Symbol.asyncDispose]();
  const fake = new FakeTransport();
  discovery = await createDiscovery({ transports: [fake], clock, ...options });
  return fake;
}

function ids(nodes: readonly NodeInfo[]): string[] {
  return nodes.map((node) => node.id);
}

async function next(changes: AsyncIterator<RegistryChange>): Promise<string> {
  const { value } = await changes.next();
  return value ? `${value.kind} ${value.node.id}` : "done";
}

describe("nothing is asked", () => {
  test("before the first look", async () => {
    network.appear({ id: "box", port: 8000, info: "" });
    discovery.watch();
    await clock.advance(60_000);
    expect(network.sent).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test.each([
    ["at the registry", () => discovery.registry.listAlive()],
    ["by watching", () => void discovery.watch().next()],
    ["by discovering", () => void discovery.discover()],
  ])("twice by who looks %s when there is a browse", async (_, look) => {
    look();
    expect(network.sent).toBe(1);
    discovery.registry.listAlive();
    discovery.watch().next();
    expect(network.sent).toBe(1);
  });
});

describe("the registry", () => {
  test("lists what there is, after a first look", async () => {
    network.appear({ id: "box", port: 8000, info: "gpu" });
    expect(discovery.registry.listAlive()).toEqual([]);
    await clock.advance(0);
    expect(discovery.registry.listAlive()).toMatchObject([
      { id: "box", port: 8000, info: "gpu", self: false },
    ]);
  });

  test("keeps up with nodes that come, crash and say goodbye", async () => {
    discovery.registry.listAlive();
    network.appear({ id: "crashing", port: 1, info: "" });
    network.appear({ id: "leaving", port: 1, info: "" });
    await clock.advance(0);
    network.silence("crashing");
    network.vanish("leaving");
    await clock.advance(0);
    expect(ids(discovery.registry.listAlive())).toEqual(["crashing"]);
    await clock.advance(60_000);
    expect(discovery.registry.listAlive()).toEqual([]);
  });

  test("that is full refuses newcomers with one warning", async () => {
    const fake = await useFake({ capacity: 1 });
    discovery.registry.listAlive();
    for (const n of [1, 2, 3]) fake.say(alive({ key: `${n}`, id: `${n}`, addresses: [at(`10.0.0.${n}`)] }));
    await clock.advance(0);
    expect(ids(discovery.registry.listAlive())).toEqual(["1"]);
    expect(discovery.warnings.map(({ code }) => code)).toEqual(["REGISTRY_FULL"]);
    expect(discovery.warnings[0]?.message).toContain("at most 1 of each transport");
  });
});

describe("discover", () => {
  test("looks for as long as it is told and resolves with what is listed", async () => {
    const found = discovery.discover({ timeoutMs: 1_000 });
    await clock.advance(900);
    network.appear({ id: "late", port: 8000, info: "" });
    await clock.advance(100);
    expect(ids(await found)).toEqual(["late"]);
    expect(clock.now()).toBe(1_000);
  });

  test("looks for 3 s unless told otherwise", async () => {
    let endedMs = 0;
    const found = discovery.discover().then(() => {
      endedMs = clock.now();
    });
    await clock.advance(10_000);
    await found;
    expect(endedMs).toBe(3_000);
  });

  test("ends as soon as enough nodes are listed", async () => {
    const found = discovery.discover({ atLeast: 2, timeoutMs: Number.POSITIVE_INFINITY });
    network.appear({ id: "one", port: 8000, info: "" });
    network.appear({ id: "two", port: 8000, info: "" });
    expect(ids(await found)).toEqual(["one", "two"]);
    expect(ids(await discovery.discover({ atLeast: 2 }))).toEqual(["one", "two"]);
  });

  describe("until all have settled", () => {
    const untilSettled = true;

    async function endedMs(look: Promise<unknown>): Promise<number> {
      let ms = Number.NaN;
      const ended = look.then(() => {
        ms = clock.now();
      });
      await clock.advance(10_000);
      await ended;
      return ms;
    }

    test("ends with the first pass over the medium, on a new registry and on a warm one", async () => {
      network.appear({ id: "box", port: 8000, info: "" });
      expect(await endedMs(discovery.discover({ untilSettled }))).toBe(100);
      expect(await endedMs(discovery.discover({ untilSettled }))).toBe(10_100);
    });

    test("waits for the slowest of several, but for none that failed", async () => {
      await discovery[Symbol.asyncDispose]();
      const fake = new FakeTransport();
      const refused = new MemoryNetwork();
      refused.refuse("PERMISSION_DENIED");
      const transports = [memory({ network }), fake, memory({ network: refused, name: "refused" })];
      discovery = await createDiscovery({ transports, clock, random: seededRandom(1) });
      network.appear({ id: "box", port: 8000, info: "" });
      const look = discovery.discover({ untilSettled });
      clock.schedule(700, () => fake.say({ kind: "settled", via: fake.name }));
      expect(await endedMs(look)).toBe(700);
    });

    test("goes on while nothing that fits is listed, and ends with the first that is", async () => {
      network.appear({ id: "box", port: 8000, info: "", server: "vllm" });
      const look = discovery.discover({ untilSettled, server: "ollama" });
      clock.schedule(1_700, () => network.appear({ id: "late", port: 8001, info: "", server: "ollama" }));
      expect(await endedMs(look)).toBe(1_700);
      expect(await endedMs(discovery.discover({ untilSettled, server: "lmstudio" }))).toBe(13_000);
    });
  });

  test("asks anew on a warm registry, and stops with its own look", async () => {
    await Promise.all([discovery.discover({ timeoutMs: 10 }), clock.advance(10)]);
    const timers = clock.pending;
    const sent = network.sent;
    const found = discovery.discover({ timeoutMs: 10 });
    expect(network.sent).toBe(sent + 1);
    await clock.advance(10);
    await found;
    expect(clock.pending).toBe(timers);
    network.appear({ id: "box", port: 8000, info: "" });
    await clock.advance(0);
    expect(ids(discovery.registry.listAlive())).toEqual(["box"]);
  });

  test("rejects with the caller's own reason, and leaves nothing behind", async () => {
    discovery.registry.listAlive();
    const timers = clock.pending;
    const aborting = new AbortController();
    const reason = { why: "enough" };
    const found = discovery.discover({ signal: aborting.signal });
    aborting.abort(reason);
    await expect(found).rejects.toBe(reason);
    await expect(discovery.discover({ signal: aborting.signal })).rejects.toBe(reason);
    expect([clock.pending, getEventListeners(aborting.signal, "abort").length]).toEqual([timers, 0]);
  });

  test("resolves when the discovery is disposed", async () => {
    network.appear({ id: "box", port: 8000, info: "" });
    const found = discovery.discover();
    await clock.advance(0);
    await discovery[Symbol.asyncDispose]();
    expect(ids(await found)).toEqual(["box"]);
  });

  test.each([
    [{ timeoutMs: -1 }, "discover: timeoutMs must be a number of at least 0, and is -1"],
    [{ timeoutMs: Number.NaN }, "discover: timeoutMs must be a number of at least 0, and is NaN"],
    [{ atLeast: 0 }, "discover: atLeast must be a number of at least 1, and is 0"],
  ])("refuses %o at once", (options, message) => {
    expect(() => discovery.discover(options)).toThrow(new RangeError(message));
  });
});

describe("watch", () => {
  test("tells what is listed as up, and then each change", async () => {
    network.appear({ id: "first", port: 8000, info: "" });
    await Promise.all([discovery.discover({ timeoutMs: 10 }), clock.advance(10)]);
    const changes = discovery.watch();
    expect(await next(changes)).toBe("up first");
    network.appear({ id: "second", port: 8000, info: "" });
    expect(await next(changes)).toBe("up second");
    network.appear({ id: "second", port: 8000, info: "new" });
    expect(await next(changes)).toBe("updated second");
    network.vanish("second");
    expect(await changes.next()).toMatchObject({ value: { kind: "down", reason: "goodbye" } });
  });

  test("is independent of others", async () => {
    const fast = discovery.watch();
    const slow = discovery.watch();
    const steps = [next(fast), next(slow)];
    network.appear({ id: "box", port: 8000, info: "" });
    expect(await Promise.all(steps)).toEqual(["up box", "up box"]);
    network.appear({ id: "box", port: 8000, info: "new" });
    expect(await next(fast)).toBe("updated box");
    network.vanish("box");
    expect(await next(fast)).toBe("down box");
    expect(await next(slow)).toBe("down box");
    await fast.return?.();
    network.appear({ id: "other", port: 8000, info: "" });
    expect([await next(fast), await next(slow)]).toEqual(["done", "up other"]);
  });

  test("ends with `break`", async () => {
    network.appear({ id: "box", port: 8000, info: "" });
    for await (const { node } of discovery.watch()) {
      expect(node.id).toBe("box");
      break;
    }
  });

  test("rejects with the caller's own reason, and leaves nothing behind", async () => {
    const aborting = new AbortController();
    const reason = { why: "enough" };
    const step = discovery.watch({ signal: aborting.signal }).next();
    aborting.abort(reason);
    await expect(step).rejects.toBe(reason);
    expect(getEventListeners(aborting.signal, "abort")).toHaveLength(0);
  });

  test("ends when the discovery is disposed", async () => {
    const step = next(discovery.watch());
    await discovery[Symbol.asyncDispose]();
    expect(await step).toBe("done");
  });

  test("can be had many times without a warning of the process", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", onWarning);
    const watches = Array.from({ length: 50 }, () => discovery.watch().next());
    await clock.advance(0);
    await discovery[Symbol.asyncDispose]();
    await Promise.all(watches);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});

describe("what somebody doubts is asked for again", () => {
  test("when one of several sources says goodbye", async () => {
    const fake = await useFake();
    discovery.registry.listAlive();
    fake.say(alive({ key: "eth0" }), alive({ key: "wlan0" }), alive({ key: "other", id: "other", port: 1 }));
    fake.say(gone({ key: "eth0" }));
    await clock.advance(0);
    expect(fake.asked).toEqual(["wlan0"]);
  });

  test("but not when the only one does", async () => {
    const fake = await useFake();
    discovery.registry.listAlive();
    fake.say(alive(), gone());
    await clock.advance(0);
    expect([discovery.registry.listAlive(), fake.asked]).toEqual([[], []]);
  });

  test("once, where two transports have the same key for it", async () => {
    await discovery[Symbol.asyncDispose]();
    const fakes = [new FakeTransport("one"), new FakeTransport("two")];
    discovery = await createDiscovery({ transports: fakes, clock });
    discovery.registry.listAlive();
    for (const fake of fakes) fake.say(alive({ key: "10.0.0.1:8000" }));
    await clock.advance(0);
    await discovery.reconfirm("box");
    expect(fakes.map(({ asked }) => asked)).toEqual([["10.0.0.1:8000"], ["10.0.0.1:8000"]]);
  });

  test("and goes down when it does not answer", async () => {
    await discovery[Symbol.asyncDispose]();
    const networks = [new MemoryNetwork(), new MemoryNetwork()] as const;
    const transports = networks.map((network, n) => memory({ network, name: `memory${n}` }));
    discovery = await createDiscovery({ transports, clock });
    for (const network of networks) network.appear({ id: "box", port: 8000, info: "" });
    const changes = discovery.watch();
    expect([await next(changes), await next(changes)]).toEqual(["up box", "updated box"]);
    networks[1].silence("box");
    networks[0].vanish("box");
    expect(await next(changes)).toBe("updated box");
    await clock.advance(2_000);
    expect(await changes.next()).toMatchObject({ value: { kind: "down", reason: "unreachable" } });
  });

  test("when the host slept", async () => {
    const fake = await useFake();
    discovery.registry.listAlive();
    fake.say(alive({ key: "eth0" }));
    await clock.advance(1);
    clock.sleepHost(3_600_000);
    await clock.advance(5_000);
    expect(fake.asked).toEqual(["eth0"]);
  });

  test("when the caller does, on each transport that knows the node", async () => {
    const fake = await useFake();
    discovery.registry.listAlive();
    fake.say(alive({ key: "eth0" }), alive({ key: "wlan0" }));
    await clock.advance(0);
    await discovery.reconfirm("box");
    await discovery.reconfirm("nobody");
    expect(fake.asked).toEqual(["eth0", "wlan0"]);
  });

  test("and the caller may give up", async () => {
    const fake = await useFake();
    discovery.registry.listAlive();
    fake.say(alive());
    await clock.advance(0);
    const aborting = new AbortController();
    const reason = { why: "enough" };
    fake.faults.reconfirm = () => {
      aborting.abort(reason);
      throw reason;
    };
    await expect(discovery.reconfirm("box", aborting)).rejects.toBe(reason);
    expect(discovery.warnings).toEqual([]);
  });
});

test("a transport is settled when its first pass over the medium is done", async () => {
  expect(discovery.transports).toEqual([{ name: "memory", settled: false, error: null, lost: null }]);
  await Promise.all([discovery.discover({ timeoutMs: 1_000 }), clock.advance(1_000)]);
  expect(discovery.transports).toEqual([{ name: "memory", settled: true, error: null, lost: null }]);
});

test("what is under way when it is disposed starts no timer, however far it came", async () => {
  for (let steps = 0; steps < 20; steps += 1) {
    const fake = await useFake();
    discovery.registry.listAlive();
    fake.say(alive());
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    await discovery[Symbol.asyncDispose]();
    await clock.advance(0);
    expect(clock.pending, `${steps} steps`).toBe(0);
  }
});
