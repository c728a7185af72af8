import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encode, maxPacketBytes } from "../../src/dns/encode.ts";
import { splitLabels } from "../../src/dns/name.ts";
import { response } from "../../src/dns/record.ts";
import { decodeTxt } from "../../src/dns/txt.ts";
import { describe as describeNode, isInstance, type Service, serviceOf } from "../../src/service.ts";

/** 80 bits. */
const entropy = "0123456789abcdef0123";
const hostname = "gpu-box-01";

function announced(parts: Partial<ResolvedAnnouncement> = {}): ResolvedAnnouncement {
  return { port: 8_000, info: "", id: "f00d", ...parts };
}

function labelOf({ instance }: Service): string {
  const [label = "", ...type] = splitLabels(instance);
  expect(type).toEqual(["_lmserv", "_tcp", "local"]);
  return label;
}

function txt(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => new TextEncoder().encode(text));
}

describe("an instance without a chosen name", () => {
  test("is called after its info, or else its host, and never as another", () => {
    const named = serviceOf(announced({ info: "GPU box 1" }), hostname, entropy);
    expect(labelOf(named)).toBe(`GPU box 1-${entropy}`);
    expect(named.chosen).toBe(false);
    expect(labelOf(serviceOf(announced(), hostname, entropy))).toBe(`gpu-box-01-${entropy}`);
    expect(labelOf(serviceOf(announced(), "", entropy))).toBe(`-${entropy}`);
    expect(named.host).toBe(`lmserv-${entropy}.local`);
  });

  test("has a label without dots and control characters that fits, whatever info and host are", () => {
    const awkward = fc.constantFrom(".", "\\", "\0", "\n", "\x7f", "\x85", " ", "a", "é", "日", "🦙");
    const text = fc.oneof(
      fc.string({ unit: awkward, maxLength: 60 }),
      fc.string({ unit: "binary", maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, text, (info, host) => {
        const label = labelOf(serviceOf(announced({ info }), host.slice(0, 20), entropy));
        expect(label).toMatch(/^[^.\p{Cc}]+$/u);
        expect(label.endsWith(`-${entropy}`)).toBe(true);
        expect(Buffer.byteLength(label)).toBeLessThanOrEqual(63);
      }),
    );
  });

  test("keeps as many whole characters of a long info as fit", () => {
    const label = labelOf(serviceOf(announced({ info: "日".repeat(80) }), hostname, entropy));
    expect(label).toBe(`${"日".repeat(14)}-${entropy}`);
  });
});

describe("an instance with a chosen name", () => {
  test.each(["llama 3.1 (Küche)", "a", ".", "\\", "x".repeat(63), "🦙".repeat(15)])(
    "may be called %j",
    (name) => {
      const service = serviceOf(announced({ name }), hostname, entropy);
      expect(labelOf(service)).toBe(name);
      expect(service.chosen).toBe(true);
      expect(isInstance(service.instance)).toBe(true);
    },
  );

  test.each(["", "x".repeat(64), "🦙".repeat(16), "a\nb", "\0", "\x7f", "\x9f"])(
    "may not be called %j",
    (name) => {
      expect(() => serviceOf(announced({ name }), hostname, entropy)).toThrow(
        new RangeError(
          `name ${JSON.stringify(name)} must take 1 to 63 bytes of UTF-8 without control characters`,
        ),
      );
    },
  );
});

describe("the text of a service", () => {
  test("says first what the Python original reads", () => {
    const service = serviceOf(announced({ info: "señal=1" }), hostname, entropy);
    expect(service.txt[0]).toEqual(txt("info=señal=1")[0]);
  });

  test("has an info even when that is empty", () => {
    expect(serviceOf(announced(), hostname, entropy).txt[0]).toEqual(txt("info=")[0]);
  });

  test("says what was announced", () => {
    const node = announced({
      info: "box",
      scheme: "https",
      hostname: "other.lan",
      path: "/v1/chat",
      server: "llama.cpp",
      apis: ["openai", "ollama"],
      models: ["llama3.1:8b", "qwen"],
      auth: "required",
      attributes: { Rack: "3" },
    });
    expect(describeNode(serviceOf(node, hostname, entropy).txt)).toEqual({
      id: "f00d",
      info: "box",
      scheme: "https",
      hostname: "other.lan",
      path: "/v1/chat",
      server: "llama.cpp",
      apis: ["openai", "ollama"],
      modelsCut: false,
      models: ["llama3.1:8b", "qwen"],
      auth: "required",
      attributes: {
        scheme: "https",
        info: "box",
        id: "f00d",
        path: "/v1/chat",
        host: "other.lan",
        server: "llama.cpp",
        apis: "openai,ollama",
        models: "llama3.1:8b,qwen",
        auth: "required",
        rack: "3",
      },
    });
  });

  test("holds an info of 250 bytes, and with all else still goes into one packet", () => {
    const info = "é".repeat(125);
    const { txt: strings, instance } = serviceOf(
      announced({ info, models: ["x".repeat(248)] }),
      hostname,
      entropy,
    );
    expect(describeNode(strings).info).toBe(info);
    const answers = [{ name: instance, ttlS: 4_500, flush: true, type: "TXT", strings } as const];
    expect(encode(response({ answers }), { maxBytes: maxPacketBytes })).toHaveLength(1);
  });

  test.each<[string, Partial<ResolvedAnnouncement>, readonly string[]]>([
    ["longer than a string", { models: Array.from({ length: 300 }, (_, n) => `model-${n}`) }, ["model-0"]],
    ["of one name that is longer", { models: ["x".repeat(249)] }, []],
    ["that was cut before", { models: ["a"], modelsCut: true }, ["a"]],
  ])("says that a list of models goes on: one %s", (_, parts, first) => {
    const { txt: strings } = serviceOf(announced(parts), hostname, entropy);
    const { models, modelsCut } = describeNode(strings);
    expect(models.slice(0, 1)).toEqual(first);
    expect(modelsCut).toBe(true);
    const whole = serviceOf(announced({ models: ["a", "b"] }), hostname, entropy);
    expect(describeNode(whole.txt)).toMatchObject({ models: ["a", "b"], modelsCut: false });
  });

  test.each<[string, Partial<ResolvedAnnouncement>, string]>([
    ["info", { info: "x".repeat(251) }, 'attribute "info" takes 256 bytes'],
    ["attribute", { attributes: { rack: "x".repeat(251) } }, 'attribute "rack" takes 256 bytes'],
    ["key", { attributes: { "a=b": "" } }, 'attribute "a=b" must be printable ASCII'],
    ["key that is taken", { attributes: { Info: "x" } }, 'attribute "Info" has a field of its own'],
    [
      "sum",
      { attributes: Object.fromEntries(["a", "b", "c", "d", "e"].map((key) => [key, "x".repeat(253)])) },
      "at most 1300 are allowed",
    ],
  ])("refuses what it cannot hold: %s", (_, parts, message) => {
    expect(() => serviceOf(announced(parts), hostname, entropy)).toThrow(RangeError);
    expect(() => serviceOf(announced(parts), hostname, entropy)).toThrow(message);
  });
});

describe("the text of others", () => {
  const nothing = {
    id: null,
    info: "",
    hostname: null,
    path: null,
    scheme: "http",
    server: null,
    apis: [],
    models: [],
    modelsCut: false,
    auth: null,
  };

  test("may be empty", () => {
    expect(describeNode([])).toEqual({ ...nothing, attributes: {} });
  });

  test.each([
    "id=two words",
    "id=10.0.0.1:8000",
    "id=é",
    `id=${"x".repeat(129)}`,
    "id=",
    "path=chat",
    "path=/a b",
    "path=/a\nb",
    "path=http://evil.example/",
    "path=",
    "auth=maybe",
    "scheme=ftp",
    "apis=",
    "models=,,,",
    "host",
    "server=",
  ])("is as if it were not there when it makes no sense: %j", (text) => {
    expect(describeNode(txt(text))).toMatchObject(nothing);
  });

  test("of the Python original is an info alone", () => {
    expect(describeNode(txt("info=gpu-box-01"))).toEqual({
      ...nothing,
      info: "gpu-box-01",
      path: "/chat",
      server: "lmserv",
      attributes: { info: "gpu-box-01" },
    });
  });

  test("with an info and more is not the Python original's", () => {
    const described = describeNode(txt("info=gpu-box-01", "path=nowhere"));
    expect(described).toMatchObject({ info: "gpu-box-01", path: null, server: null });
  });

  test("may list no more than one string can hold", () => {
    const { models } = describeNode(txt(`models=${"a,".repeat(124)}`, "models=b"));
    expect(models).toEqual(Array(124).fill("a"));
  });

  test("does not reach a prototype", () => {
    const described = describeNode(txt("__proto__=x", "constructor=y", "hasownproperty=z"));
    expect(described).toMatchObject(nothing);
    expect(Object.getPrototypeOf(described.attributes)).toBe(Object.prototype);
    expect(Object.keys(described.attributes)).toEqual(["__proto__", "constructor", "hasownproperty"]);
  });

  test("is described whatever it is, and never as more than it says", () => {
    const string = fc.oneof(
      fc.uint8Array({ maxLength: 255 }),
      fc
        .tuple(fc.constantFrom("info", "id", "path", "host", "server", "apis", "models", "auth"), fc.string())
        .map(([key, value]) => new TextEncoder().encode(`${key}=${value}`)),
    );
    fc.assert(
      fc.property(fc.array(string, { maxLength: 10 }), (strings) => {
        const { id, path, auth, apis, models, attributes } = describeNode(strings);
        expect(id ?? "none").toMatch(/^[!-9;-~]{1,128}$/);
        expect(path ?? "/").toMatch(/^\/[^\s\p{Cc}]*$/u);
        expect([null, "none", "required"]).toContain(auth);
        expect([...apis, ...models]).not.toContain("");
        expect(attributes).toEqual(decodeTxt(strings));
      }),
    );
  });
});

describe("a name is an instance's", () => {
  test.each(["box._lmserv._tcp.local", "Box._LMSERV._TCP.LOCAL", "v1\\.2._lmserv._tcp.local"])(
    "%s",
    (name) => {
      expect(isInstance(name)).toBe(true);
    },
  );

  test.each([
    "",
    "_lmserv._tcp.local",
    "a.b._lmserv._tcp.local",
    "box._http._tcp.local",
    "box\\._lmserv._tcp.local",
    "box._lmserv._tcp.local.evil",
  ])("but not %j", (name) => {
    expect(isInstance(name)).toBe(false);
  });
});
