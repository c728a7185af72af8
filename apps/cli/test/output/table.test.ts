import type { HealthState, NodeInfo } from "@lmserv/discovery-core";
import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import type { TableOptions } from "../../src/output/columns.ts";
import { formatTable } from "../../src/output/table.ts";

const wallMs = Date.parse("2026-01-01T12:00:00.000Z");
const plain: TableOptions = { color: false, states: true, verbose: false, width: null, wallMs };

interface Sketch {
  readonly name: string;
  readonly host?: string;
  readonly hostname?: string;
  readonly server?: string;
  readonly models?: readonly string[];
  readonly state?: HealthState | null;
  readonly auth?: NodeInfo["auth"];
  readonly ageMs?: number;
  readonly transports?: readonly string[];
}

function node(sketch: Sketch): NodeInfo {
  const { name, host = "198.51.100.7", server = "ollama", models = [], state = "healthy" } = sketch;
  const { ageMs = 0, transports = ["mdns"], auth = null, hostname = null } = sketch;
  const at = new Date(wallMs - ageMs).toISOString();
  const baseUrl = `http://${host.includes(":") ? `[${host}]` : host}:11434`;
  const health = {
    ...{ loaded: [], latencyMs: 1, checkedAt: at, reason: null },
    models: models.map((model) => ({ name: model })),
  };
  return {
    ...{ id: `${name} ${host}`, host, port: 11_434, info: name, hostname, addresses: [host] },
    ...{
      path: "/api/chat",
      scheme: "http",
      url: `${baseUrl}/api/chat`,
      baseUrl,
      openaiUrl: null,
      server,
      apis: [],
      models,
    },
    ...{ modelsCut: false, auth, attributes: {}, self: false },
    health: state && { ...health, state },
    sources: transports.map((transport) => ({
      ...{ transport, key: name, trust: "announced" as const, firstSeenMs: 0, lastSeenMs: 0, expiresMs: 1 },
      ...{ firstSeenAt: at, lastSeenAt: at, expiresAt: at, stale: null, relayed: false },
    })),
  };
}

const minuteMs = 60_000;
/** Nodes of households and offices, odd ones included. */
const ten: readonly NodeInfo[] = [
  node({ name: "gpu-box-01", models: ["llama3.3:70b", "qwen3:32b"], ageMs: 42_000 }),
  node({ name: "gpu-box-2", host: "198.51.100.8", server: "vllm", models: ["meta-llama/Llama-3.3-70B"] }),
  node({ name: "gpu-box-10", host: "198.51.100.9", server: "llama.cpp", state: "busy", ageMs: 5 * minuteMs }),
  node({ name: "书房的显卡主机", host: "198.51.100.10", models: ["通义千问3:32b"], ageMs: 90 * minuteMs }),
  node({ name: "🎮 gaming 👩‍💻 box", host: "198.51.100.11", server: "lmstudio", state: "loading" }),
  node({ name: "café-naïve", host: "2001:db8::1:7", models: ["mistral:7b"], ageMs: 3_000 * minuteMs }),
  node({ name: "the-machine-below-the-desk-in-the-room-at-the-end-of-the-corridor", host: "203.0.113.201" }),
  node({ name: "locked", host: "198.51.100.12", server: "vllm", auth: "required", models: ["a", "b", "c"] }),
  node({ name: "", host: "198.51.100.13", state: "silent" }),
  node({ name: "", hostname: "pi5.local", host: "198.51.100.14", server: "lmserv", state: null }),
];
const sixty = Array.from({ length: 60 }, (_, index) =>
  node({
    name: `rack-${index + 1}`,
    host: `203.0.113.${index + 1}`,
    server: index % 3 === 0 ? "vllm" : "ollama",
    models: Array.from({ length: index % 9 }, (_, model) => `model-${model}`),
    transports: index % 2 === 0 ? ["mdns"] : ["mdns", "arp"],
    ageMs: index * minuteMs,
  }),
);
const lists = { 1: ten.slice(0, 1), 10: ten, 60: sixty };

describe("a table in a terminal", () => {
  it.each(
    [40, 80, 120].flatMap((width) =>
      Object.entries(lists).map(([count, nodes]) => ({ width, count, nodes })),
    ),
  )("of $width columns shows $count nodes", async ({ width, count, nodes }) => {
    await expect(formatTable(nodes, { ...plain, width })).toMatchFileSnapshot(`golden/${width}-${count}.txt`);
  });

  it("leaves no line longer than the terminal, from 40 to 200 columns, and keeps columns in line", () => {
    const name = fc.string({ unit: "grapheme", maxLength: 80 });
    const sketch = fc.record({ name, server: name, models: fc.array(name, { maxLength: 5 }) });
    const widths = fc.integer({ min: 40, max: 200 });
    fc.assert(
      fc.property(fc.array(sketch, { minLength: 1, maxLength: 5 }), widths, (sketches, width) => {
        const lines = formatTable(sketches.map(node), { ...plain, width }).split("\n");
        expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
        const starts = lines
          .slice(1, -1)
          .map((line) => stringWidth(line.slice(0, line.lastIndexOf("198.51."))));
        expect(new Set(starts).size).toBe(1);
      }),
    );
  });
});

describe("a table", () => {
  const header = (nodes: readonly NodeInfo[], options: Partial<TableOptions> = {}): string =>
    formatTable(nodes, { ...plain, ...options }).split("\n")[0] ?? "";

  it("is cut nowhere in a pipe, but for long names and lists", () => {
    const [line = ""] = formatTable(ten.slice(6, 7), plain).split("\n").slice(1);
    expect(line).toContain("the-machine-below-the-de…the-end-of-the-corridor  ollama  -");
    expect(line).toContain("http://203.0.113.201:11434/api/chat");
  });

  it("has sources where they differ, or with -v", () => {
    expect(header(ten)).not.toContain("SOURCES");
    expect(header(ten, { verbose: true })).toContain("SOURCES");
    expect(header(sixty)).toContain("SOURCES");
  });

  it("tells of a key where the state does not", () => {
    const locked = node({ name: "locked", auth: "required" });
    expect(header([locked])).toContain("AUTH");
    expect(header([node({ name: "locked", auth: "required", state: "auth" })])).not.toContain("AUTH");
    expect(header([node({ name: "open", auth: "none" })])).not.toContain("AUTH");
    expect(formatTable([locked], { ...plain, states: false })).toMatch(/^NAME .*\nlocked +ollama +key /);
  });

  it("has one order, whatever comes and however the nodes change", () => {
    const names = (nodes: readonly NodeInfo[]): readonly string[] =>
      formatTable(nodes, plain)
        .split("\n")
        .map((line) => line.replace(/^\S+ +/, "").slice(0, 11));
    const changed = ten.map((one) => ({ ...one, models: ["changed"], server: "other", health: null }));
    expect(names(ten.toReversed())).toEqual(names(ten));
    expect(names(changed)).toEqual(names(ten));
    expect(names(ten).slice(2, 6)).toEqual(["café-naïve ", "gpu-box-01 ", "gpu-box-2  ", "gpu-box-10 "]);
  });

  it.each([
    [-5_000, "0s"],
    [59_999, "59s"],
    [minuteMs, "1m"],
    [59 * minuteMs, "59m"],
    [60 * minuteMs, "1h"],
    [1_440 * minuteMs, "1d"],
  ])("writes an age of %d ms as %s", (ageMs, text) => {
    expect(formatTable([node({ name: "box", ageMs })], plain)).toMatch(new RegExp(` ${text}\n$`));
  });
});
