import type { NodeInfo } from "@lmserv/discovery-core";
import { describe, expect, test } from "vitest";
import { liveTable, type Output, plainTable } from "../src/live-table.ts";
import type { Scene } from "../src/stage.ts";

function node(info: string, port: number, models: readonly string[] = ["parrot"]): NodeInfo {
  return {
    id: info,
    host: "127.0.0.1",
    port,
    info,
    hostname: null,
    addresses: ["127.0.0.1"],
    path: "/chat",
    scheme: "http",
    url: `http://127.0.0.1:${port}/chat`,
    baseUrl: `http://127.0.0.1:${port}`,
    openaiUrl: null,
    server: "lmserv",
    apis: [],
    models,
    modelsCut: false,
    auth: null,
    attributes: {},
    health: null,
    self: false,
    sources: [],
  };
}

function scene(part: Partial<Scene> = {}): Scene {
  return { nodes: [], answer: "", status: "Looking ...", warnings: [], ...part };
}

function recorder(size: { columns?: number; rows?: number } = {}): Output & { readonly texts: string[] } {
  const texts: string[] = [];
  return { ...size, texts, write: (text) => texts.push(text) };
}

describe("the live table", () => {
  test("replaces what it showed before", () => {
    const output = recorder();
    const show = liveTable(output);
    show(scene());
    show(scene({ nodes: [node("a", 8000)], status: "Found." }));
    expect(output.texts).toEqual([
      "\nNo servers.\n\nLooking ...\n",
      "\r\u001b[4A\u001b[J\nINFO  URL                         MODELS\na     http://127.0.0.1:8000/chat  parrot\n\nFound.\n",
    ]);
  });

  test("counts the lines that the terminal breaks", () => {
    const output = recorder({ columns: 10 });
    const show = liveTable(output);
    show(scene({ answer: "twelve chars", status: "" }));
    show(scene());
    const shown = "\nNo servers\n.\n\ntwelve cha\nrs\n\n\n";
    expect(output.texts[0]).toBe(shown);
    expect(output.texts[1]).toContain(`\u001b[${shown.split("\n").length - 1}A`);
  });

  test("takes a terminal of unknown size for a usual one", () => {
    const output = recorder({ columns: 0, rows: 0 });
    liveTable(output)(scene());
    expect(output.texts).toEqual(["\nNo servers.\n\nLooking ...\n"]);
  });

  test("shows no more than fits, so that it can be replaced", () => {
    const output = recorder({ rows: 4 });
    liveTable(output)(scene({ nodes: [node("a", 1), node("b", 2), node("c", 3)] }));
    expect(output.texts[0]?.split("\n")).toHaveLength(4);
  });
});

describe("the plain table", () => {
  test("is written once, when there is an answer, which follows as it comes", () => {
    const output = recorder();
    const show = plainTable(output);
    show(scene());
    show(scene({ nodes: [node("a", 8000)] }));
    expect(output.texts).toEqual([]);
    show(scene({ nodes: [node("a", 8000), node("long", 65_535, ["m", "n"])], answer: "a: Hel" }));
    show(scene({ nodes: [], answer: "a: Hello" }));
    expect(output.texts.join("")).toBe(
      [
        "INFO  URL                          MODELS",
        "a     http://127.0.0.1:8000/chat   parrot",
        "long  http://127.0.0.1:65535/chat  m, n",
        "",
        "a: Hello",
      ].join("\n"),
    );
  });
});
