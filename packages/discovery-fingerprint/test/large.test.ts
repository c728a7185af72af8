import { array, assert, type JsonValue, jsonValue, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCutJson } from "../src/http/cut-json.ts";
import { fingerprint, type Identification } from "../src/index.ts";
import { type Answer, html, json, model, notFound, openaiList, text } from "./fixtures/recording.ts";
import { host, leisurelyClock, replay } from "./loopback.ts";

const { signal } = new AbortController();

/** List of 300 kB: a server that passes on many others. */
const many = Array.from({ length: 3_000 }, (_, n) => `vendor/model-${n}`);

async function identified(
  answers: Readonly<Record<string, Answer>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Identification | null> {
  const recording = { title: "", answers, otherwise: notFound, headers, expected: null, questions: 4 };
  const server = await replay(recording);
  const result = await fingerprint({ host, port: server.port, clock: leisurelyClock, signal });
  return result.kind === "server" ? result.identification : null;
}

function entries(ownedBy: string): object[] {
  return many.map((id) => model(id, ownedBy));
}

describe("a list of models of 300 kB", () => {
  const first = { models: many.slice(0, 256), modelsCut: true };

  it.each([
    ["Ollama", { "/": text("Ollama is running"), "/v1/models": openaiList(...entries("library")) }, "ollama"],
    ["vLLM", { "/v1/models": openaiList(...entries("vllm")) }, "vllm"],
    ["SGLang", { "/v1/models": openaiList(...entries("sglang")) }, "sglang"],
    ["LocalAI", { "/": html("LocalAI"), "/v1/models": openaiList(...entries("")) }, "localai"],
    ["whoever lists", { "/v1/models": openaiList(...entries("me")) }, null],
    ["whoever lists the type last", { "/v1/models": json({ data: entries("me"), object: "list" }) }, null],
  ])("does not hide %s", async (_, answers, server) => {
    const found = await identified(answers);
    expect(found).toMatchObject({ server, ...first });
  });

  it("does not hide llama.cpp, which lists its models twice", async () => {
    const models = many.map((name) => ({ name, model: name }));
    const answer = json({ models, object: "list", data: entries("llamacpp") });
    const found = await identified({ "/v1/models": answer }, { server: "llama.cpp" });
    expect(found).toMatchObject({ server: "llama.cpp", ...first });
  });

  it("does not hide that it is a list when it is cut in the middle of a character", async () => {
    const wide = Array.from({ length: 30_000 }, (_, n) => model(`${n}\u{1f600}`, "vllm"));
    expect(await identified({ "/v1/models": openaiList(...wide) })).toMatchObject({ server: "vllm" });
  });
});

it("counts a first page that goes on for ever for what it begins with", async () => {
  const answers = { "/": text(`LMServ is running.${"x".repeat(300_000)}`) };
  expect(await identified(answers)).toMatchObject({ server: "lmserv" });
});

describe("JSON that breaks off", () => {
  it.each([
    [
      '{"object":"list","data":[{"id":"a"},{"id":"b","x":[{"y":1},{"y"',
      { object: "list", data: [{ id: "a" }] },
    ],
    ['{"data":{"models":[1,2,3],"n', { data: { models: [1, 2, 3] } }],
    ['{"a":{"b":1,"c":tr', { a: { b: 1 } }],
    ['{"a":"1,2","b":"x', { a: "1,2" }],
    ['{"a":"\\"],","b":[{"c":"]"},', { a: '"],', b: [{ c: "]" }] }],
    ["[1,2", [1]],
    ['{"a":1}   ', { a: 1 }],
    ["[[[[", []],
    ['{"__proto__":{"a":1},"b":1,"b":2,', JSON.parse('{"__proto__":{"a":1},"b":2}')],
  ])("%s says what is complete", (cut, said) => {
    expect(parseCutJson(cut)).toEqual(said);
  });

  it.each(["", '"text', "12", "tru", "nonsense,", "]", '{"a":1]', "{,"])("%s says nothing", (cut) => {
    expect(parseCutJson(cut) ?? {}).toEqual({});
  });

  it("says of a list the first of its entries, wherever it breaks off", () => {
    assert(
      property(array(jsonValue(), { maxLength: 8 }), nat(), (list, seed) => {
        const whole = JSON.stringify({ object: "list", data: list });
        const cut = whole.slice(0, seed % (whole.length + 1));
        const { data = [] } = (parseCutJson(cut) ?? {}) as { readonly data?: readonly JsonValue[] };
        const entries: unknown = JSON.parse(JSON.stringify(list.slice(0, data.length)));
        expect(data).toEqual(entries);
        expect(parseCutJson(whole)).toEqual(JSON.parse(whole));
      }),
    );
  });
});
