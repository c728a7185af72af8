import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HealthContext, type HealthReport, Registry } from "../../src/authors.ts";
import { createDiscovery, type Discovery, type HealthState, type NodeInfo } from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";
import { type AliveFields, alive, at, gone } from "../observations.ts";

function report(state: HealthState, fields: Partial<HealthReport> = {}): HealthReport {
  return {
    endpoint: "10.0.0.1:8000",
    health: {
      state,
      models: [],
      loaded: [],
      latencyMs: 1,
      checkedAt: "2026-01-01T00:00:00.000Z",
      reason: null,
    },
    description: null,
    missingPath: null,
    ...fields,
  };
}

const described = {
  server: "llama.cpp",
  path: "/v1/chat/completions",
  apis: ["openai"],
  auth: "none",
} as const;

describe("the health of a node", () => {
  function checked(fields: AliveFields, outcome: HealthReport): NodeInfo | null {
    const registry = new Registry();
    registry.apply(alive(fields), 0);
    registry.assess("box", outcome);
    return registry.get("box");
  }

  test("stands beside its announcement", () => {
    const node = checked({ models: ["a"] }, report("busy"));
    expect(node).toMatchObject({ health: { state: "busy" }, models: ["a"] });
  });

  test("is news when the state changes, and not when a check repeats it", () => {
    const registry = new Registry();
    registry.apply(alive(), 0);
    const kinds = (outcome: HealthReport) => registry.assess("box", outcome).map(({ kind }) => kind);
    expect(kinds(report("healthy"))).toEqual(["updated"]);
    const later = report("healthy");
    expect(kinds({ ...later, health: { ...later.health, latencyMs: 9, checkedAt: "later" } })).toEqual([]);
    expect(registry.get("box")?.health).toMatchObject({ latencyMs: 9, checkedAt: "later" });
    expect(kinds(report("silent"))).toEqual(["updated"]);
  });

  test("neither adds a node nor keeps one", () => {
    const registry = new Registry();
    expect(registry.assess("box", report("healthy"))).toEqual([]);
    registry.apply(alive({ ttlMs: 100 }), 0);
    registry.assess("box", report("healthy"));
    expect(registry.expire(100)).toMatchObject([{ kind: "down", node: { id: "box" } }]);
    registry.apply(alive(), 200);
    expect(registry.get("box")?.health).toBeNull();
  });

  test("of another endpoint is dropped, and ends when the node moves", () => {
    expect(checked({}, report("healthy", { endpoint: "10.0.0.9:8000" }))?.health).toBeNull();
    const registry = new Registry();
    registry.apply(alive(), 0);
    registry.assess("box", report("healthy"));
    registry.apply(alive({ addresses: [at("10.0.0.2")] }), 1);
    expect(registry.get("box")).toMatchObject({ host: "10.0.0.2", health: null });
    registry.apply(alive(), 2);
    expect(registry.get("box")?.health).toBeNull();
  });

  test("fills what the announcement leaves open", () => {
    expect(checked({}, report("healthy", { description: described }))).toMatchObject({
      ...described,
      url: "http://10.0.0.1:8000/v1/chat/completions",
      openaiUrl: "http://10.0.0.1:8000/v1",
    });
  });

  const announced = { server: "lmserv", path: "/chat", apis: ["lmserv"], auth: "required" } as const;

  test("replaces what is announced only where the announced path leads nowhere", () => {
    const description = described;
    expect(checked(announced, report("healthy", { description }))).toMatchObject(announced);
    const missing = report("healthy", { description, missingPath: "/chat" });
    expect(checked(announced, missing)).toMatchObject(described);
    expect(checked({ ...announced, path: "/other" }, missing)).toMatchObject({
      path: "/other",
      server: "lmserv",
    });
  });

  test("never replaces what is signed", () => {
    const missing = report("healthy", { description: described, missingPath: "/chat" });
    expect(checked({ ...announced, trust: "signed" }, missing)).toMatchObject(announced);
  });
});

describe("a monitor", () => {
  let clock: VirtualClock;
  let fake: FakeTransport;
  let discovery: Discovery;
  let context: HealthContext | null;
  let stops: number;

  beforeEach(async () => {
    clock = new VirtualClock();
    fake = new FakeTransport();
    context = null;
    stops = 0;
    const health = {
      start(given: HealthContext) {
        context = given;
        return () => {
          stops += 1;
        };
      },
    };
    discovery = await createDiscovery({ transports: [fake], clock, health });
  });

  afterEach(() => discovery[Symbol.asyncDispose]());

  async function list(...fields: AliveFields[]): Promise<HealthContext> {
    discovery.registry.listAlive();
    fake.say(...fields.map(alive));
    await clock.advance(0);
    if (!context) throw new TypeError("the monitor did not start");
    return context;
  }

  test("starts with the first look, once, and ends with the discovery", async () => {
    expect(context).toBeNull();
    const first = await list();
    discovery.registry.listAlive();
    expect(context).toBe(first);
    await discovery[Symbol.asyncDispose]();
    expect(stops).toBe(1);
    first.report("box", report("healthy"));
  });

  test("follows the list, and has nodes asked for again", async () => {
    const { follow, reconfirm } = await list({});
    const seen: string[] = [];
    const end = follow(({ kind, node }) => seen.push(`${kind} ${node.id}`));
    fake.say(alive({ key: "other", id: "other", addresses: [at("10.0.0.2")] }), gone());
    await clock.advance(0);
    end();
    fake.say(gone({ key: "other" }));
    await clock.advance(0);
    expect(seen).toEqual(["up box", "up other", "down box"]);
    fake.say(alive());
    await clock.advance(0);
    reconfirm("box");
    expect(fake.asked).toContain("box");
  });

  test("tells watchers what it found", async () => {
    const { report: tell } = await list({});
    const changes = discovery.watch();
    await changes.next();
    tell("box", report("silent"));
    expect((await changes.next()).value).toMatchObject({
      kind: "updated",
      node: { health: { state: "silent" } },
    });
  });

  test("is waited for by a look, for 700 ms", async () => {
    const look = discovery.discover({ timeoutMs: 1_000 });
    fake.say(alive());
    let found: readonly NodeInfo[] | null = null;
    look.then((nodes) => {
      found = nodes;
    });
    await clock.advance(1_699);
    expect(found).toBeNull();
    await clock.advance(1);
    expect(found).toMatchObject([{ id: "box", health: null }]);
  });

  test("lets a look end with the last check", async () => {
    const look = discovery.discover({ timeoutMs: 1_000, healthy: true, atLeast: 1 });
    fake.say(alive(), alive({ key: "b", id: "b", addresses: [at("10.0.0.2")] }));
    await clock.advance(10);
    context?.report("b", report("silent", { endpoint: "10.0.0.2:8000" }));
    context?.report("box", report("healthy"));
    expect(await look).toMatchObject([{ id: "box" }]);
    expect(clock.now()).toBe(10);
  });
});

describe("a filter of a look", () => {
  test.each([
    [{}, ["a", "b", "c"]],
    [{ model: "LLAMA3" }, ["a", "c"]],
    [{ model: "llama3:latest" }, ["a", "c"]],
    [{ model: "llama3:8b" }, []],
    [{ server: "Ollama" }, ["a", "b"]],
    [{ model: "llama3", server: "ollama" }, ["a"]],
    [{ healthy: true }, []],
  ])("%j finds %j", async (filter, ids) => {
    const clock = new VirtualClock();
    const fake = new FakeTransport();
    await using discovery = await createDiscovery({ transports: [fake], clock });
    const look = discovery.discover({ timeoutMs: 100, ...filter });
    const node = (id: string, n: number, fields: AliveFields) =>
      alive({ key: id, id, addresses: [at(`10.0.0.${n}`)], ...fields });
    fake.say(
      node("a", 1, { server: "ollama", models: ["llama3:latest"] }),
      node("b", 2, { server: "ollama", models: ["qwen3"] }),
      node("c", 3, { server: null, models: ["Llama3"] }),
    );
    await clock.advance(100);
    expect((await look).map(({ id }) => id)).toEqual(ids);
  });
});
