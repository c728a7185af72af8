import { MemoryNetwork, memory, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createDiscovery,
  type Discovery,
  DiscoveryError,
  type DiscoveryErrorCode,
  type DiscoveryOptions,
} from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";
import { alive } from "../observations.ts";

let clock: VirtualClock;
let fake: FakeTransport;
const opened: Discovery[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): unknown => unhandled.push(reason);

beforeEach(() => {
  clock = new VirtualClock();
  fake = new FakeTransport();
  process.on("unhandledRejection", onUnhandled);
});

afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((it) => it[Symbol.asyncDispose]()));
  await clock.advance(0);
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

async function open(options: Partial<DiscoveryOptions> = {}): Promise<Discovery> {
  const discovery = await createDiscovery({ transports: [fake], clock, ...options });
  opened.push(discovery);
  return discovery;
}

function failing(code: DiscoveryErrorCode, name: string = "failing", cause?: unknown): FakeTransport {
  const transport = new FakeTransport(name);
  transport.faults.open = () => {
    throw new DiscoveryError(code, `${name} is out`, { via: name, cause });
  };
  return transport;
}

describe("a mistake in the options is thrown at once", () => {
  test.each<[string, Partial<DiscoveryOptions>, Error]>([
    [
      "no transport",
      { transports: [] },
      new RangeError("createDiscovery: transports must be a list of at least 1, and is []"),
    ],
    [
      "two of one name",
      { transports: [new FakeTransport(), new FakeTransport()] },
      new TypeError('two transports are named "fake"; each needs a name of its own'),
    ],
    [
      "a short TTL",
      { ttlMs: 999 },
      new RangeError("createDiscovery: ttlMs must be a number from 1000 to 86400000, and is 999"),
    ],
    [
      "a long TTL",
      { ttlMs: 86_400_001 },
      new RangeError("createDiscovery: ttlMs must be a number from 1000 to 86400000, and is 86400001"),
    ],
    [
      "no TTL",
      { ttlMs: Number.NaN },
      new RangeError("createDiscovery: ttlMs must be a number from 1000 to 86400000, and is NaN"),
    ],
    [
      "no capacity",
      { capacity: 0 },
      new RangeError("createDiscovery: capacity must be a whole number of at least 1, and is 0"),
    ],
  ])("%s", (_, options, error) => {
    expect(() => createDiscovery({ transports: [fake], ...options })).toThrow(error);
    expect(fake.opened).toBe(0);
  });
});

describe("opening", () => {
  test("rejects with the error of the only transport", async () => {
    const error = await open({ transports: [failing("PERMISSION_DENIED")] }).catch((it: unknown) => it);
    expect(error).toMatchObject({ name: "DiscoveryError", code: "PERMISSION_DENIED", via: "failing" });
  });

  test("rejects with all errors when no transport can be opened", async () => {
    const transports = [failing("PERMISSION_DENIED", "one"), failing("ADDRESS_IN_USE", "two")];
    const error = await open({ transports }).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      errors: [
        { code: "PERMISSION_DENIED", via: "one" },
        { code: "ADDRESS_IN_USE", via: "two" },
      ],
    });
  });

  test("goes on with those that can be opened; the others are warnings", async () => {
    const discovery = await open({ transports: [failing("ADDRESS_IN_USE"), fake] });
    expect(discovery.warnings).toMatchObject([{ code: "ADDRESS_IN_USE", via: "failing" }]);
    expect(discovery.transports).toMatchObject([
      { name: "failing", error: { code: "ADDRESS_IN_USE" } },
      { name: "fake", error: null },
    ]);
  });

  test("rejects with the caller's own reason", async () => {
    const reason = { why: "enough" };
    const aborting = new AbortController();
    fake.faults.open = () => {
      aborting.abort(reason);
      throw reason;
    };
    await expect(open({ signal: aborting.signal })).rejects.toBe(reason);
  });
});

describe("a host without a network interface", () => {
  const noInterface = new DiscoveryError("NO_INTERFACE", "no interface is up", { via: "failing" });

  test.each([
    ["the error", failing("NO_INTERFACE")],
    ["its cause", failing("TRANSPORT_UNAVAILABLE", "failing", noInterface)],
  ])("is waited for when %s says so", async (_, transport) => {
    const discovery = await open({ transports: [transport] });
    expect(discovery.warnings).toHaveLength(1);
    expect(discovery.transports[0]?.error).toBe(discovery.warnings[0]);
    discovery.registry.listAlive();
    delete transport.faults.open;
    await clock.advance(10_000);
    transport.say(alive());
    await clock.advance(0);
    expect(discovery.registry.listAlive()).toHaveLength(1);
  });

  test("is an error where nobody wants to wait", async () => {
    const transports = [failing("NO_INTERFACE")];
    await expect(open({ transports, waitForNetwork: false })).rejects.toMatchObject({ code: "NO_INTERFACE" });
  });

  test("is not what any other failure means", async () => {
    const transports = [failing("TRANSPORT_UNAVAILABLE", "failing", new Error("no such file"))];
    await expect(open({ transports })).rejects.toMatchObject({ code: "TRANSPORT_UNAVAILABLE" });
  });
});

describe("warnings", () => {
  test("reach the caller, the log and the list", async () => {
    const heard: unknown[] = [];
    const logged: unknown[] = [];
    const discovery = await open({
      onWarning: (warning) => heard.push(warning),
      log: (...line) => logged.push(line),
    });
    fake.report("SEND_FAILED", "no route");
    expect(discovery.warnings).toMatchObject([{ code: "SEND_FAILED", via: "fake" }]);
    expect(heard).toEqual(discovery.warnings);
    expect(logged).toEqual([["warn", "no route", { code: "SEND_FAILED", via: "fake" }]]);
  });

  test("are kept, the latest 100 of them", async () => {
    const discovery = await open();
    for (let n = 0; n < 250; n += 1) fake.report("SEND_FAILED", `${n}`);
    expect(discovery.warnings).toHaveLength(100);
    expect(discovery.warnings.at(0)?.message).toBe("150");
    expect(discovery.warnings.at(-1)?.message).toBe("249");
  });

  test.each<[DiscoveryErrorCode, boolean]>([
    ["TRANSPORT_FAILED", true],
    ["NO_INTERFACE", true],
    ["SEND_FAILED", false],
    ["NAME_CONFLICT", false],
    ["NO_ANSWER", false],
    ["MEDIUM_UNREACHABLE", false],
  ])("with the code %s: the transport is out is %s", async (code, isOut) => {
    const discovery = await open();
    fake.report(code);
    expect(discovery.transports[0]?.error?.code).toBe(isOut ? code : undefined);
  });

  test("are no more when the discovery is disposed", async () => {
    const heard: unknown[] = [];
    const discovery = await open({ onWarning: (warning) => heard.push(warning) });
    await discovery[Symbol.asyncDispose]();
    fake.report("SEND_FAILED");
    expect(heard).toEqual([]);
  });

  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("the caller's own");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the caller's own"))],
  ])("do no harm where the caller's callback %s", async (_, callback) => {
    const logged: string[] = [];
    const discovery = await open({ onWarning: callback, log: (_level, message) => logged.push(message) });
    fake.report("SEND_FAILED", "no route");
    await clock.advance(0);
    expect(discovery.warnings).toHaveLength(1);
    expect(logged).toEqual(["no route", "onWarning failed"]);
  });

  test("do no harm where the caller's log throws", async () => {
    const log = (): never => {
      throw new Error("the caller's own");
    };
    const discovery = await open({ log });
    expect(() => fake.context?.log("debug", "hello")).not.toThrow();
    fake.report("SEND_FAILED");
    expect(discovery.warnings).toHaveLength(1);
  });
});

describe("a transport that dies", () => {
  test("is a warning, comes back and is browsed again", async () => {
    const network = new MemoryNetwork();
    const discovery = await open({ transports: [memory({ network })] });
    discovery.registry.listAlive();
    await clock.advance(0);
    network.fail();
    await clock.advance(1_000);
    expect(discovery.transports[0]?.error).not.toBeNull();
    network.restore();
    network.appear({ id: "box", port: 8000, info: "" });
    await clock.advance(10_000);
    expect(discovery.registry.listAlive()).toMatchObject([{ id: "box" }]);
  });
});

describe("whatever a transport throws, where it must not", () => {
  const thrown: [string, unknown][] = [
    ["an error", new Error("boom")],
    ["a string", "boom"],
    ["nothing", undefined],
    ["a rejection", Promise.reject(new Error("boom"))],
  ];
  for (const [, rejection] of thrown) if (rejection instanceof Promise) rejection.catch(() => {});

  test.each(thrown)("does not stop a browse: %s", async (_, it) => {
    fake.faults.browse = () => {
      throw it;
    };
    const discovery = await open();
    discovery.registry.listAlive();
    await clock.advance(0);
    expect(discovery.warnings).toMatchObject([{ code: "TRANSPORT_FAILED", via: "fake" }]);
    delete fake.faults.browse;
    await clock.advance(10_000);
    fake.say(alive());
    await clock.advance(0);
    expect(discovery.registry.listAlive()).toHaveLength(1);
  });

  test.each(thrown)("is a warning when a node is asked for: %s", async (_, it) => {
    fake.faults.reconfirm = () => {
      throw it;
    };
    const discovery = await open();
    discovery.registry.listAlive();
    fake.say(alive({ key: "eth0" }), alive({ key: "wlan0" }));
    await clock.advance(0);
    await discovery.reconfirm("box");
    expect(fake.asked).toEqual(["eth0", "wlan0"]);
    expect(discovery.warnings).toMatchObject([{ code: "SEND_FAILED" }, { code: "SEND_FAILED" }]);
  });

  test.each(thrown)("reaches who announces: %s", async (_, it) => {
    fake.faults.announce = () => {
      throw it;
    };
    const discovery = await open();
    const outcome = discovery.announce({ port: 8000 }).then(
      () => "announced",
      () => "failed",
    );
    expect(await outcome).toBe("failed");
  });
});

describe("disposal", () => {
  test("happens once, however often it is asked for", async () => {
    const discovery = await open();
    await Promise.all([discovery[Symbol.asyncDispose](), discovery[Symbol.asyncDispose]()]);
    await discovery[Symbol.asyncDispose]();
    expect(fake.closed).toBe(1);
  });

  test("is over for everybody at the same time", async () => {
    let close = (): void => {};
    fake.faults.close = () =>
      new Promise<void>((resolve) => {
        close = resolve;
      });
    const discovery = await open();
    const order: string[] = [];
    const first = discovery[Symbol.asyncDispose]().then(() => order.push("first"));
    const second = discovery[Symbol.asyncDispose]().then(() => order.push("second"));
    await clock.advance(0);
    expect(order).toEqual([]);
    close();
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
  });

  test("fails for everybody when a transport cannot be closed", async () => {
    const discovery = await open();
    const error = new Error("cannot close");
    fake.faults.close = () => {
      throw error;
    };
    for (let n = 0; n < 2; n += 1) await expect(discovery[Symbol.asyncDispose]()).rejects.toBe(error);
    expect(fake.closed).toBe(1);
  });

  test("makes every use a TypeError, at once", async () => {
    const discovery = await open();
    await discovery[Symbol.asyncDispose]();
    const uses = [
      () => discovery.announce({ port: 8000 }),
      () => discovery.discover(),
      () => discovery.watch(),
      () => discovery.reconfirm("box"),
      () => discovery.registry.listAlive(),
    ];
    for (const use of uses) expect(use).toThrow(new TypeError("this discovery was disposed"));
  });
});
