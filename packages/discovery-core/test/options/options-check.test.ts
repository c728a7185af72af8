import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { assertOptions, compose, type OptionShapes, standby, supervise } from "../../src/authors.ts";
import { createDiscovery } from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";

// Values of programs without types; a fake is a transport.

/** Calls a function with arguments that its types forbid. */
function call(callee: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown {
  return Reflect.apply(callee, undefined, args);
}

const fake = new FakeTransport();
const transports = [fake];

const known =
  "known are: ttlMs, health, capacity, waitForNetwork, onWarning, onTransport, log, clock, random, signal, transports";

describe("a wrong argument is named, with its value and what is allowed", () => {
  test.each<[string, readonly unknown[], TypeError | RangeError]>([
    [
      "no options",
      [undefined],
      new TypeError("createDiscovery: options must be an object, and is undefined"),
    ],
    ["null", [null], new TypeError("createDiscovery: options must be an object, and is null")],
    ["no transports", [{}], new TypeError("createDiscovery: transports is missing")],
    [
      "a transport that is in no list",
      [{ transports: fake }],
      new TypeError(
        "createDiscovery: transports must be a list of at least 1, in brackets even for a single one, and is an object of FakeTransport",
      ),
    ],
    [
      "a factory that was not called",
      [{ transports: [function mdns() {}] }],
      new TypeError(
        "createDiscovery: transports[0] must be a transport, as the function of its package makes one, and is the function mdns",
      ),
    ],
    [
      "a number as a text",
      [{ transports, ttlMs: "5000" }],
      new TypeError('createDiscovery: ttlMs must be a number from 1000 to 86400000, and is "5000"'),
    ],
    [
      "null for what may be left out",
      [{ transports, log: null }],
      new TypeError("createDiscovery: log must be a function, and is null"),
    ],
    [
      "a controller for its signal",
      [{ transports, signal: new AbortController() }],
      new TypeError("createDiscovery: signal must be an AbortSignal, and is an object of AbortController"),
    ],
    [
      "a misspelt option",
      [{ transports, ttlMS: 5_000 }],
      new TypeError('createDiscovery: ttlMS is unknown; did you mean "ttlMs"?'),
    ],
    [
      "an option that is like no other",
      [{ transports, interfaces: ["eth0"] }],
      new TypeError(`createDiscovery: interfaces is unknown; ${known}`),
    ],
  ])("createDiscovery: %s", (_, args, error) => {
    expect(() => call(createDiscovery, ...args)).toThrow(error);
  });

  test.each<[string, () => unknown, TypeError | RangeError]>([
    [
      "compose",
      () => call(compose, fake),
      new TypeError(
        "compose: transports must be a list of at least 1, in brackets even for a single one, and is an object of FakeTransport",
      ),
    ],
    [
      "supervise",
      () => call(supervise, null),
      new TypeError(
        "supervise: transport must be a transport, as the function of its package makes one, and is null",
      ),
    ],
    [
      "supervise, its options",
      () => call(supervise, fake, { outlast: () => true }),
      new TypeError('supervise: outlast is unknown; did you mean "outlasts"?'),
    ],
    [
      "standby",
      () => call(standby, fake, { name: "x" }),
      new TypeError(
        'standby: transport must be a transport, as the function of its package makes one, and is {"name":"x"}',
      ),
    ],
    [
      "standby, its options",
      () => call(standby, fake, new FakeTransport(), { afterMs: "3s" }),
      new TypeError('standby: afterMs must be a number from 0 to 86400000, and is "3s"'),
    ],
  ])("%s", (_, act, error) => {
    expect(act).toThrow(error);
  });

  test("at a discovery that is open", async () => {
    await using discovery = await createDiscovery({ transports });
    const { announce, discover, watch, reconfirm } = {
      announce: (...args: readonly unknown[]) => call(discovery.announce.bind(discovery), ...args),
      discover: (...args: readonly unknown[]) => call(discovery.discover.bind(discovery), ...args),
      watch: (...args: readonly unknown[]) => call(discovery.watch.bind(discovery), ...args),
      reconfirm: (...args: readonly unknown[]) => call(discovery.reconfirm.bind(discovery), ...args),
    };
    const cases: readonly [() => unknown, string][] = [
      [() => announce(), "announce: options must be an object, and is undefined"],
      [() => announce(8000), "announce: options must be an object, and is 8000"],
      [() => announce({ port: 8000, model: "a" }), 'announce: model is unknown; did you mean "models"?'],
      [
        () => announce({ port: 8000, models: "qwen3" }),
        'announce: models must be a list, such as ["qwen3"], and is "qwen3"',
      ],
      [
        () => announce({ port: 8000, auth: true }),
        "announce: auth must be one of none, required, and is true",
      ],
      [
        () => announce({ port: 8000, attributes: { rack: 7 } }),
        "announce: attributes.rack must be a text, and is 7",
      ],
      [
        () => announce({ port: 8000 }, { singal: null }),
        'announce: singal is unknown; did you mean "signal"?',
      ],
      [() => discover({ timeout: 3_000 }), 'discover: timeout is unknown; did you mean "timeoutMs"?'],
      [() => discover(null), "discover: options must be an object, and is null"],
      [() => watch({ signal: "now" }), 'watch: signal must be an AbortSignal, and is "now"'],
      [() => reconfirm(), "reconfirm: id must be a text that is not empty, and is undefined"],
    ];
    for (const [act, message] of cases) expect(act).toThrow(new TypeError(message));
  });
});

interface Options {
  readonly key?: string;
  readonly tls?: { readonly cert: string };
  readonly servers?: readonly string[];
}

const shapes: OptionShapes<Options> = {
  key: { type: "string", minLength: 8, writeOnly: true },
  tls: {
    type: "object",
    properties: { cert: { type: "string", writeOnly: true } },
    additionalProperties: false,
  },
  servers: { type: "array", items: { type: "string" } },
};

function check(options: unknown): void {
  call(assertOptions, "fleet", options, shapes);
}

describe("a message", () => {
  test.each([
    [{ key: "hunter2" }, "fleet: key must be a text that is not empty"],
    [{ key: ["hunter2"] }, "fleet: key must be a text that is not empty"],
    [{ tls: "hunter2" }, "fleet: tls must be an object"],
    [{ tls: ["hunter2"] }, "fleet: tls must be an object"],
    [{ tls: { cert: { pem: "hunter2" } } }, "fleet: tls.cert must be a text"],
    [{ password: "hunter2" }, "fleet: password is unknown; known are: key, tls, servers"],
    [
      { servers: "http://u:hunter2@10.0.0.1" },
      'fleet: servers must be a list, such as ["http://…@10.0.0.1"], and is "http://…@10.0.0.1"',
    ],
  ])("shows no secret: %o", (options, message) => {
    expect(() => check(options)).toThrow(message);
    expect(() => check(options)).not.toThrow("hunter2");
  });

  test("is short, whatever the value is", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const value of [
      "x".repeat(10_000),
      Symbol("s"),
      10n ** 400n,
      cycle,
      Object.create(null),
      () => {},
    ]) {
      const given = inspect(value).slice(0, 20);
      expect(() => check({ servers: value }), given).toThrow(/^fleet: servers must be a list.{0,180}$/);
    }
  });
});

test("an option that is undefined is one that is not there, and one that is inherited is there", () => {
  expect(() => check({ key: undefined, servers: undefined })).not.toThrow();
  expect(() => check(Object.create({ servers: 7 }))).toThrow("servers must be a list, and is 7");
});
