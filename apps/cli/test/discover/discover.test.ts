import { DiscoveryError } from "@lmserv/discovery-core";
import type { Transport } from "@lmserv/discovery-core/transport";
import type { DiscoverDocument } from "@lmserv/discovery-gateway/document";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { Machine } from "../harness.ts";
import { closed, published } from "../schemas.ts";

const said = { path: "/chat", server: "lmserv" };
const box = { id: "box-1", port: 8000, info: "gpu-box-01", ...said, models: ["llama-3.3-70b", "qwen3-32b"] };

const likeliest =
  "the likeliest cause is that none is announced yet: on the machine that serves, run: lmserv up";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

function printed(): DiscoverDocument {
  expect(machine.stdout.lines).toHaveLength(1);
  const document = JSON.parse(machine.stdout.text);
  closed.discover(document);
  expect(closed.discover.errors).toBeNull();
  return document;
}

/** Transport whose opening and closing the test controls. */
function transportOf(name: string, open: Transport["open"]): Transport {
  return { name, open };
}

describe("lmserv discover --json", () => {
  it("prints one document with everything that is known of a node", async () => {
    machine.network.appear({ ...box, hostname: "tower", apis: ["openai"], auth: "none" });
    expect(await machine.run(3_000, "discover", "--json")).toBe(0);
    const time = expect.stringMatching(/^2026-01-01T00:00:0\d\.\d{3}Z$/);
    expect(printed()).toEqual({
      formatVersion: "1.1",
      complete: true,
      durationMs: 100,
      nodes: [
        {
          id: "box-1",
          host: "198.18.0.1",
          port: 8000,
          info: "gpu-box-01",
          hostname: "tower",
          addresses: ["198.18.0.1"],
          path: "/chat",
          scheme: "http",
          url: "http://198.18.0.1:8000/chat",
          baseUrl: "http://198.18.0.1:8000",
          openaiUrl: "http://198.18.0.1:8000/v1",
          server: "lmserv",
          apis: ["openai"],
          models: ["llama-3.3-70b", "qwen3-32b"],
          modelsCut: false,
          auth: "none",
          attributes: {},
          health: {
            state: "healthy",
            models: [{ name: "llama-3.3-70b" }, { name: "qwen3-32b" }],
            loaded: [],
            latencyMs: 1,
            checkedAt: time,
            reason: null,
          },
          self: false,
          sources: [
            {
              transport: "mdns",
              key: "198.18.0.1/box-1",
              trust: "announced",
              firstSeen: time,
              lastSeen: time,
              expiresAt: "2026-01-01T00:01:00.000Z",
              stale: null,
              relayed: false,
            },
          ],
        },
      ],
      warnings: [],
    });
  });

  it("prints a valid document when nothing is found, and says so on stderr", async () => {
    expect(await machine.run(3_000, "discover", "--json")).toBe(1);
    expect(printed()).toEqual({
      formatVersion: "1.1",
      complete: true,
      durationMs: 3_000,
      nodes: [],
      warnings: [],
    });
    expect(machine.stderr.text).toBe(`lmserv: no LLM server found within 3s; ${likeliest}\n`);
  });

  it("looks for as long as --timeout says, with the --ttl that is asked for", async () => {
    machine.network.appear(box);
    expect(await machine.run(250, "discover", "--json", "--timeout", "250ms", "--ttl", "7s")).toBe(0);
    const { durationMs, nodes } = printed();
    expect(durationMs).toBe(250);
    expect(nodes[0]?.sources[0]?.expiresAt).toBe("2026-01-01T00:00:07.000Z");
  });

  it("ends with the first node", async () => {
    machine.network.appear(box);
    expect(await machine.run(0, "discover", "--json", "--first")).toBe(0);
    expect(printed()).toMatchObject({ complete: false, durationMs: 0, nodes: [{ id: "box-1" }] });
  });

  it("ends with the second node of --wait 2", async () => {
    machine.network.appear(box);
    const { ended } = machine.start("discover", "--json", "--wait", "2");
    await machine.until(() => machine.network.sent > 0);
    await machine.clock.advance(1_000);
    machine.network.appear({ ...box, id: "box-2" });
    expect(await ended).toBe(0);
    expect(printed()).toMatchObject({ complete: false, durationMs: 1_000, nodes: [{}, {}] });
  });

  it("finds fewer than --wait asks for", async () => {
    machine.network.appear(box);
    expect(await machine.run(3_000, "discover", "--json", "--wait", "2")).toBe(1);
    expect(printed()).toMatchObject({ complete: true, nodes: [{ id: "box-1" }] });
    expect(machine.stderr.text).toBe("lmserv: found 1 of 2 LLM servers within 3s\n");
  });

  it("is not complete before the first pass over the medium is done", async () => {
    await machine.run(50, "discover", "--json", "--timeout", "50ms");
    expect(printed().complete).toBe(false);
  });

  it("escapes what would steer a terminal or end a line for some reader", async () => {
    const note = "a\u009b2J\u2028b\u007f\u001b[31m";
    machine.network.appear({ ...box, attributes: { note } });
    await machine.run(3_000, "discover", "--json");
    expect(machine.stdout.text.trimEnd()).toMatch(/^[\x20-\x7e]*$/);
    expect(printed().nodes[0]?.attributes).toEqual({ note });
  });
});

describe("a transport that fails", () => {
  it("makes 3 with the reasons, and a valid document, when it cannot be opened", async () => {
    const cause = new Error("bind EACCES 0.0.0.0:5353", { cause: "no privilege" });
    const refused = new DiscoveryError("PERMISSION_DENIED", "cannot listen", { via: "mdns", cause });
    machine.plugins.set("mdns", machine.factory(transportOf("mdns", () => Promise.reject(refused))));
    expect(await machine.start("discover", "--json", "-q").ended).toBe(3);
    const message = "cannot listen: bind EACCES 0.0.0.0:5353: no privilege";
    expect(printed()).toMatchObject({
      complete: false,
      nodes: [],
      warnings: [{ code: "PERMISSION_DENIED", transport: "mdns", message }],
    });
    expect(machine.stderr.text).toBe(`lmserv: error: mdns: PERMISSION_DENIED: ${message}\n`);
  });

  it("makes 3 at once on a machine without a network", async () => {
    machine.network.refuse("NO_INTERFACE");
    expect(await machine.start("discover", "--json").ended).toBe(3);
    expect(printed()).toMatchObject({ durationMs: 0, warnings: [{ code: "NO_INTERFACE" }] });
  });

  it("tells of each when all fail", async () => {
    machine.network.refuse("NO_INTERFACE");
    const other = new MemoryNetwork();
    other.refuse("ADDRESS_IN_USE");
    machine.plugins.set("smoke", machine.factory(memory({ network: other, name: "smoke" })));
    expect(await machine.start("discover", "--transport", "mdns,smoke").ended).toBe(3);
    expect(machine.stderr.lines).toHaveLength(3);
    expect(machine.stderr.text).toContain("error: mdns: NO_INTERFACE: ");
    expect(machine.stderr.text).toContain("error: smoke: ADDRESS_IN_USE: ");
    expect(machine.stdout.text).toBe("");
  });

  it("is a warning when another works", async () => {
    machine.network.appear(box);
    const other = new MemoryNetwork();
    other.refuse("ADDRESS_IN_USE");
    machine.plugins.set("smoke", machine.factory(memory({ network: other, name: "smoke" })));
    expect(await machine.run(3_000, "discover", "--json", "--transport", "smoke,mdns")).toBe(0);
    expect(printed()).toMatchObject({
      complete: false,
      nodes: [{ id: "box-1" }],
      warnings: [{ code: "ADDRESS_IN_USE", transport: "smoke" }],
    });
  });

  it.each([
    ["nothing was found", false, 3],
    ["something was found", true, 0],
  ])("while it looks makes the search incomplete when %s", async (_, isFound, code) => {
    if (isFound) machine.network.appear(box);
    const { ended } = machine.start("discover", "--json", "--timeout", "3s");
    await machine.until(() => machine.network.sent > 0);
    await machine.clock.advance(1_000);
    machine.network.fail();
    await machine.clock.advance(2_000);
    expect(await ended).toBe(code);
    const { complete, nodes, warnings } = printed();
    expect({ complete, count: nodes.length }).toEqual({ complete: false, count: Number(isFound) });
    expect(warnings[0]).toMatchObject({ code: "TRANSPORT_FAILED", transport: "mdns" });
  });

  it("is given up when it hangs at opening", async () => {
    const hangs = transportOf(
      "mdns",
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
    machine.plugins.set("mdns", machine.factory(hangs));
    const { ended } = machine.start("discover", "--json");
    await machine.until(() => machine.made.length > 0);
    await machine.clock.advance(10_000);
    expect(await ended).toBe(3);
    expect(printed().warnings).toMatchObject([{ code: "TRANSPORT_UNAVAILABLE" }]);
  });

  it("is waited for as long as --timeout says when it opens late", async () => {
    machine.network.appear(box);
    const inner = memory({ network: machine.network, name: "mdns" });
    const late = transportOf("mdns", async (context, options) => {
      await new Promise<void>((resolve, reject) => {
        context.clock.schedule(29_999, resolve);
        options.signal.addEventListener("abort", () => reject(options.signal.reason));
      });
      return inner.open(context, options);
    });
    machine.plugins.set("mdns", machine.factory(late));
    const { ended } = machine.start("discover", "--json", "--first", "--timeout", "30s");
    await machine.until(() => machine.made.length > 0);
    await machine.clock.advance(29_999);
    expect(await ended).toBe(0);
    expect(printed()).toMatchObject({ nodes: [{ id: "box-1" }], warnings: [] });
  });

  it("does not cost the result when it cannot be closed", async () => {
    machine.network.appear(box);
    const inner = memory({ network: machine.network, name: "mdns" });
    const sticky = transportOf("mdns", async (context, options) => ({
      ...(await inner.open(context, options)),
      [Symbol.asyncDispose]: () => Promise.reject(new Error("stuck")),
    }));
    machine.plugins.set("mdns", machine.factory(sticky));
    expect(await machine.run(3_000, "discover", "--json")).toBe(0);
    expect(printed().nodes).toHaveLength(1);
    expect(machine.stderr.text).toBe("lmserv: warning: could not close: stuck\n");
  });
});

describe("a signal", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s prints what there is and makes %d", async (name, code) => {
    machine.network.appear(box);
    const { ended, signal } = machine.start("discover", "--json", "--timeout", "3s");
    await machine.until(() => machine.network.sent > 0);
    await machine.clock.advance(1_000);
    signal(name);
    expect(await ended).toBe(code);
    expect(printed()).toMatchObject({ complete: false, durationMs: 1_000, nodes: [{ id: "box-1" }] });
    expect(machine.stderr.text).toBe("");
    expect(machine.clock.pending).toBe(0);
  });
});

describe("lmserv discover for people", () => {
  it("prints a table", async () => {
    machine.network.appear(box);
    machine.network.appear({ id: "ollama", port: 11_434, info: "", path: "/api/chat", server: "ollama" });
    expect(await machine.run(3_000, "discover")).toBe(0);
    expect(machine.stdout.lines).toEqual([
      "STATE    NAME        SERVER  MODELS                    URL                               AGE",
      "healthy  gpu-box-01  lmserv  llama-3.3-70b, qwen3-32b  http://198.18.0.1:8000/chat       0s",
      "healthy  -           ollama  -                         http://198.18.0.2:11434/api/chat  0s",
    ]);
    expect(machine.stderr.text).toBe("");
  });

  it("prints nothing on stdout when there is nothing, and the reasons on stderr", async () => {
    const other = new MemoryNetwork();
    other.refuse("ADDRESS_IN_USE");
    machine.plugins.set("smoke", machine.factory(memory({ network: other, name: "smoke" })));
    expect(await machine.run(2_000, "discover", "--transport", "mdns,smoke", "--timeout", "2s")).toBe(1);
    expect(machine.stdout.text).toBe("");
    expect(machine.stderr.lines).toEqual([
      `lmserv: no LLM server found within 2s; ${likeliest}`,
      expect.stringContaining("lmserv: warning: smoke: ADDRESS_IN_USE: "),
      "lmserv: lmserv doctor examines what is in the way",
    ]);
  });

  it("is silent on stderr with -q", async () => {
    expect(await machine.run(3_000, "discover", "-q")).toBe(1);
    expect(machine.stderr.text).toBe("");
  });

  it("prints what the transports log with -v", async () => {
    const { ended } = machine.start("discover", "-v");
    await machine.until(() => machine.network.sent > 0);
    machine.network.inject(new Uint8Array([255]), "198.18.9.9");
    await machine.clock.advance(3_000);
    await ended;
    expect(machine.stderr.lines.slice(0, 2)).toEqual([
      'lmserv: info: mdns runs always {"via":"mdns"}',
      'lmserv: debug: malformed frame dropped {"from":"198.18.9.9","dropped":1}',
    ]);
  });

  it("tells with -v when a transport that died is tried again, and when it is back", async () => {
    const { ended } = machine.start("discover", "-v", "--timeout", "30s");
    await machine.until(() => machine.network.sent > 0);
    machine.network.fail();
    machine.network.restore();
    await machine.clock.advance(30_000);
    await ended;
    expect(machine.stderr.lines.slice(1, 4)).toEqual([
      expect.stringMatching(/^lmserv: warn: .*"code":"TRANSPORT_FAILED"/),
      expect.stringMatching(/^lmserv: info: mdns is opened again in \d+ ms \{"via":"mdns","attempt":1\}$/),
      'lmserv: info: mdns is open again {"via":"mdns"}',
    ]);
  });

  it("lets no stranger steer the terminal", async () => {
    machine.network.appear({ ...box, info: "\u001b[2Jtrusted\r\nfake\u202e", server: "\u0007" });
    await machine.run(3_000, "discover");
    expect(machine.stdout.lines).toHaveLength(2);
    expect(machine.stdout.text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });

  it("passes the interfaces on", async () => {
    await machine.run(3_000, "discover", "--interface", "eth0", "--interface", "127.0.0.1");
    expect(machine.made).toMatchObject([{ options: { interfaces: ["eth0", "127.0.0.1"] } }]);
  });

  it("uses every interface when none is named", async () => {
    await machine.run(3_000, "discover");
    expect(machine.made.map(({ options }) => options)).toEqual([{}]);
  });
});

describe("on a terminal", () => {
  beforeEach(() => {
    machine.isTerminal = true;
    machine.network.appear(box);
  });

  it("spins on stderr and prints a bold header", async () => {
    await machine.run(3_000, "discover", "--timeout", "3s");
    const painted = machine.stderr.text.split("\r").slice(1);
    expect(painted.slice(0, 2)).toEqual(["| looking for LLM servers", "/ looking for LLM servers"]);
    expect(painted.at(-1)).toBe("\u001b[K");
    expect(machine.stdout.lines[0]).toContain("\u001b[1mSTATE ");
  });

  it("does not spin with -q, nor when it is dumb", async () => {
    await machine.run(3_000, "discover", "-q");
    machine.env.TERM = "dumb";
    await machine.run(3_000, "discover");
    expect(machine.stderr.text).toBe("");
  });

  it.each([
    ["NO_COLOR", "1"],
    ["TERM", "dumb"],
  ])("prints no colour with %s=%s", async (name, value) => {
    machine.env[name] = value;
    await machine.run(3_000, "discover");
    expect(machine.stdout.text).not.toContain("\u001b");
  });

  it("leaves JSON alone", async () => {
    await machine.run(3_000, "discover", "--json");
    expect(printed().nodes).toHaveLength(1);
  });
});

describe("the published schema", () => {
  async function document(): Promise<DiscoverDocument> {
    machine.network.appear(box);
    await machine.run(3_000, "discover", "--json");
    return printed();
  }

  it("accepts keys that a later version adds", async () => {
    expect(published.discover({ ...(await document()), formatVersion: "1.7", later: true })).toBe(true);
  });

  it("refuses every key's absence and a wrong type of each", async () => {
    const good = await document();
    const paths = pathsOf(good);
    expect(paths.length).toBeGreaterThan(25);
    for (const path of paths) {
      expect(published.discover(mutate(good, path, undefined)), `without ${path.join(".")}`).toBe(false);
      expect(published.discover(mutate(good, path, { wrong: 1 })), `wrong ${path.join(".")}`).toBe(false);
    }
  });

  it.each([
    [["formatVersion"], "2.0"],
    [["durationMs"], -1],
    [["nodes", "0", "port"], 0],
    [["nodes", "0", "addresses"], []],
    [["nodes", "0", "sources"], []],
    [["nodes", "0", "auth"], "maybe"],
    [["nodes", "0", "url"], "javascript:alert(1)"],
    [["nodes", "0", "sources", "0", "firstSeen"], 12],
    [["nodes", "0", "sources", "0", "firstSeen"], "yesterday"],
    [["nodes", "0", "sources", "0", "trust"], "hearsay"],
  ])("refuses %j of %j", async (path, value) => {
    expect(published.discover(mutate(await document(), path, value))).toBe(false);
  });
});

/** Path of every key that a document must have. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null || path.at(-1) === "attributes") return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key];
    return Array.isArray(value) ? pathsOf(inner, here) : [here, ...pathsOf(inner, here)];
  });
}

/** Copy with one value replaced, or left out if `replacement` is undefined. */
function mutate(document: unknown, path: readonly string[], replacement: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return replacement;
  if (Array.isArray(document)) {
    return document.map((item, index) => (String(index) === key ? mutate(item, rest, replacement) : item));
  }
  const record: Record<string, unknown> = { ...Object(document) };
  record[key] = mutate(record[key], rest, replacement);
  if (record[key] === undefined) delete record[key];
  return record;
}
