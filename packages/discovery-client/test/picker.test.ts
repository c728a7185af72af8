import { type HealthState, modelNamesOf, type NodeInfo } from "@lmserv/discovery-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Call, type Choice, createPicker, type PickerOptions } from "../src/index.ts";

function node(id: string, fields: Partial<NodeInfo> = {}): NodeInfo {
  return {
    id,
    host: "10.0.0.1",
    port: 8000,
    info: "",
    hostname: null,
    addresses: ["10.0.0.1"],
    path: null,
    scheme: "http",
    url: "http://10.0.0.1:8000",
    baseUrl: "http://10.0.0.1:8000",
    openaiUrl: "http://10.0.0.1:8000/v1",
    server: "vllm",
    apis: ["openai"],
    models: ["llama3"],
    modelsCut: false,
    auth: null,
    attributes: {},
    health: null,
    self: false,
    sources: [],
    ...fields,
  };
}

function health(
  state: HealthState,
  loaded: readonly string[] = [],
  models: readonly string[] = [],
): NodeInfo["health"] {
  const named = models.map((name) => ({ name }));
  return { state, loaded, models: named, latencyMs: 1, checkedAt: "", reason: null };
}

describe("the key of a node", () => {
  const at = { host: "fd00::7", port: 8000 };
  const signed = { sources: [{ trust: "signed" }] } as unknown as Partial<NodeInfo>;
  const keyOf = (name: string, fields: Partial<NodeInfo>): string | null =>
    createPicker({ listAlive: () => [] }, { nodeKeys: [{ node: name, key: "k" }] }).keyOf(
      node("box", fields),
    );

  test.each<[string, Partial<NodeInfo>]>([
    ["[fd00::7]:8000", at],
    ["[FD00:0:0::7]:8000", at],
    ["10.0.0.1:8000", {}],
    ["https://10.0.0.1:8000", { scheme: "https" }],
    ["http://10.0.0.1:8000", {}],
    ["box", signed],
  ])("by %s is that of %j", (name, fields) => expect(keyOf(name, fields)).toBe("k"));

  test.each<[string, Partial<NodeInfo>]>([
    ["10.0.0.1:8001", {}],
    ["10.0.0.1", {}],
    ["https://10.0.0.1:8000", {}],
    ["box", {}],
    ["10.0.0.2:8000", { addresses: ["10.0.0.1", "10.0.0.2"] }],
    ["gpu", { info: "gpu", hostname: "gpu", ...signed }],
  ])("by %s is not that of %j", (name, fields) => expect(keyOf(name, fields)).toBeNull());
});

const call: Call = { api: "openai", model: "llama3", conversation: null, node: null };

function choose(nodes: readonly NodeInfo[], wanted: Partial<Call> = {}, options: PickerOptions = {}): Choice {
  return createPicker({ listAlive: () => nodes }, options).choose({ ...call, ...wanted });
}

function order(choice: Choice): readonly string[] {
  return choice.candidates.map(({ node: { id } }) => id);
}

const names = ["llama3", "llama3:latest", "LLAMA3", "phi", "meta/phi"];
const states: readonly (HealthState | null)[] = [null, "healthy", "busy", "loading", "auth", "silent"];
const anyNode = fc
  .record({
    models: fc.subarray(names),
    state: fc.constantFrom(...states),
    loaded: fc.subarray(names),
    listed: fc.subarray(names),
    apis: fc.subarray(["openai", "ollama", "lmserv"]),
    auth: fc.constantFrom(null, "none" as const, "required" as const),
    info: fc.constantFrom("", "box"),
  })
  .map(({ state, loaded, listed, ...fields }) => ({
    ...fields,
    health: state && health(state, loaded, listed),
  }));
const anyNodes = fc
  .array(anyNode, { maxLength: 8 })
  .map((all) => all.map((fields, index) => node(`n${index}`, fields)));
const anyCall = fc.record({
  api: fc.constantFrom("openai" as const, "ollama" as const, "lmserv" as const),
  model: fc.option(fc.constantFrom(...names, "box/phi", "nope")),
  conversation: fc.option(fc.string()),
});

describe("any choice", () => {
  test("names each node once, with a reason", () => {
    fc.assert(
      fc.property(anyNodes, anyCall, (nodes, wanted) => {
        const { candidates, rejected } = choose(nodes, wanted);
        const all = [...candidates, ...rejected];
        expect(all.map((one) => one.node.id).sort()).toEqual(nodes.map(({ id }) => id).sort());
        expect(all.filter(({ why }) => why === "")).toEqual([]);
      }),
    );
  });

  test("is of nodes that have the model by the name given, answer and want no key", () => {
    fc.assert(
      fc.property(anyNodes, anyCall, (nodes, wanted) => {
        for (const { node: chosen, model } of choose(nodes, wanted).candidates) {
          expect(model === null).toBe(wanted.model === null);
          if (model !== null) expect(modelNamesOf(chosen)).toContain(model);
          expect(["silent", "auth"]).not.toContain(chosen.health?.state);
          expect(chosen.auth).not.toBe("required");
        }
      }),
    );
  });

  test("does not depend on the order of the list", () => {
    fc.assert(
      fc.property(anyNodes, anyCall, fc.nat(), (nodes, wanted, turn) => {
        const at = nodes.length === 0 ? 0 : turn % nodes.length;
        const turned = [...nodes.slice(at), ...nodes.slice(0, at)];
        expect(order(choose(turned, wanted))).toEqual(order(choose(nodes, wanted)));
      }),
    );
  });
});

describe("reservations", () => {
  const equal = fc
    .integer({ min: 1, max: 6 })
    .map((count) => Array.from({ length: count }, (_, n) => node(`n${n}`)));
  const calls = fc.array(fc.option(fc.nat(3).map(String)), { maxLength: 30 });

  test("of a burst are balanced to within one", () => {
    fc.assert(
      fc.property(equal, calls, fc.subarray([0, 1, 2, 3, 4, 5]), (nodes, conversations, loadedOn) => {
        const here = nodes.map((one, n) => ({
          ...one,
          health: health("healthy", loadedOn.includes(n) ? ["llama3"] : []),
        }));
        const picker = createPicker({ listAlive: () => here });
        for (const conversation of conversations) {
          const [best] = picker.choose({ ...call, conversation }).candidates;
          if (best) picker.reserve(best.node);
          const loads = here.map((one) => picker.loadOf(one).inFlight);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("are given back once", () => {
    const [a, b] = [node("a"), node("b")];
    const picker = createPicker({ listAlive: () => [a, b] });
    const [first, second] = [picker.reserve(a), picker.reserve(a)];
    first.release();
    first.release();
    expect(picker.loadOf(a).inFlight).toBe(1);
    second.release();
    expect(picker.loadOf(a).inFlight).toBe(0);
  });
});

describe("the order", () => {
  test("is idle and loaded, idle, busy, loading", () => {
    const nodes = [
      node("loading", { health: health("loading") }),
      node("busy", { health: health("busy", ["llama3"]) }),
      node("idle", { health: health("healthy") }),
      node("loaded", { health: health("healthy", ["llama3"]) }),
    ];
    expect(order(choose(nodes))).toEqual(["loaded", "idle", "busy", "loading"]);
  });

  test("begins with preferred nodes, by any of their names", () => {
    const nodes = [node("a"), node("b", { hostname: "gpu.local" }), node("c", { info: "Big Box" })];
    expect(order(choose(nodes, {}, { prefer: ["big box", "GPU.local"] }))).toEqual(["c", "b", "a"]);
  });

  test("keeps a conversation at one node, whoever comes and goes", () => {
    const nodes = Array.from({ length: 6 }, (_, n) => node(`n${n}`));
    for (const conversation of ["x", "y", "z"]) {
      const whole = order(choose(nodes, { conversation }));
      const [, gone] = whole;
      const left = nodes.filter(({ id }) => id !== gone);
      expect(order(choose(left, { conversation }))).toEqual(whole.filter((id) => id !== gone));
    }
    const firsts = new Set(
      Array.from({ length: 50 }, (_, n) => order(choose(nodes, { conversation: `${n}` }))[0]),
    );
    expect(firsts.size).toBeGreaterThan(3);
  });

  test("takes the faster of equal nodes, and one that failed last", () => {
    let nowMs = 0;
    const nodes = [node("fast"), node("slow"), node("failing")];
    const picker = createPicker(
      { listAlive: () => nodes },
      { clock: { now: () => nowMs, wall: () => 0, schedule: () => () => {} } },
    );
    for (const [at, ms] of [
      [0, 10],
      [1, 1_000],
    ] as const) {
      const place = picker.reserve(nodes[at] ?? node(""));
      nowMs += ms;
      place.answered();
      place.release();
    }
    const failing = picker.reserve(nodes[2] ?? node(""));
    failing.failed();
    failing.release();
    expect(order(picker.choose(call))).toEqual(["fast", "slow", "failing"]);
    nowMs += 5_000;
    // Never measured: it is given a chance.
    expect(order(picker.choose(call))).toEqual(["failing", "fast", "slow"]);
  });
});

describe("a name of a model", () => {
  const here = (models: readonly string[], fields: Partial<NodeInfo> = {}): NodeInfo =>
    node("box", { models, ...fields });
  const modelOf = (
    nodes: readonly NodeInfo[],
    model: string,
    options: PickerOptions = {},
  ): string | null | undefined => choose(nodes, { model }, options).candidates[0]?.model;

  test("is taken as it is, then in another case, then with the tag `latest`", () => {
    expect(modelOf([here(["llama3:latest", "LLaMA3", "llama3"])], "llama3")).toBe("llama3");
    expect(modelOf([here(["llama3:latest", "LLaMA3"])], "llama3")).toBe("LLaMA3");
    expect(modelOf([here(["llama3:latest"])], "llama3")).toBe("llama3:latest");
    expect(modelOf([here(["llama3:8b"])], "llama3")).toBeUndefined();
  });

  test("stands for others by an alias, of which a node gives the first that it has", () => {
    const aliases = { small: ["phi", "gemma"] };
    expect(modelOf([here(["gemma", "phi"])], "small", { aliases })).toBe("phi");
    expect(modelOf([here(["small"])], "small", { aliases })).toBe("small");
    expect(modelOf([here(["x"])], "constructor", { aliases })).toBeUndefined();
  });

  test("means a node before a slash only where one node has that name and the model", () => {
    const [a, b] = [node("a", { models: ["phi"] }), node("b", { models: ["a/phi"] })];
    expect(order(choose([a, b], { model: "a/phi" }))).toEqual(["a", "b"]);
    expect(choose([a, node("c", { info: "a", models: ["phi"] })], { model: "a/phi" }).candidates).toEqual([]);
  });

  test("is asked of no node but the one that a call names", () => {
    expect(order(choose([node("a"), node("b")], { node: "b" }))).toEqual(["b"]);
  });
});

describe("a node that wants a key", () => {
  test("is left out with the place of the key that is missing", () => {
    const [rejected] = choose([node("a", { auth: "required" })]).rejected;
    expect(rejected).toMatchObject({
      obstacle: "key",
      why: "it wants a key, and nodeKeys has none for 10.0.0.1:8000",
    });
  });
});

describe("trust", () => {
  test("in signed nodes alone leaves out all others", () => {
    const source = { trust: "signed" } as NodeInfo["sources"][number];
    const choice = choose([node("a"), node("b", { sources: [source] })], {}, { trust: "signed" });
    expect(order(choice)).toEqual(["b"]);
    expect(choice.rejected[0]?.why).toBe("it is not signed");
  });
});

describe("options", () => {
  test.each([
    [{ prefer: "box" }, /prefer must be an array.*"box"/],
    [{ trust: "some" }, /trust must be "any" or "signed", not "some"/],
    [{ aliases: { a: "b" } }, /aliases\.a must be an array.*"b"/],
    [{ nodeKeys: [{ node: "box", key: "se\ncret" }] }, /^the key of box must be visible ASCII characters$/],
  ])("%j are refused by name", (options, message) => {
    expect(() => createPicker({ listAlive: () => [] }, options as unknown as PickerOptions)).toThrow(message);
  });
});
