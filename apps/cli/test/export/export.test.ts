import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeInfo } from "@lmserv/discovery-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exported } from "../../src/export/export-format.ts";
import { type ExportFormat, exportFormats } from "../../src/export/export-formats.ts";
import { Machine, type Running } from "../harness.ts";
import { closed } from "../schemas.ts";

const node: NodeInfo = {
  id: "box",
  host: "192.0.2.1",
  port: 8_000,
  info: "upstairs",
  hostname: null,
  addresses: ["192.0.2.1"],
  path: null,
  scheme: "http",
  url: "http://192.0.2.1:8000",
  baseUrl: "http://192.0.2.1:8000",
  openaiUrl: "http://192.0.2.1:8000/v1",
  server: "vllm",
  apis: ["openai"],
  models: ["llama3"],
  modelsCut: false,
  auth: null,
  attributes: {},
  health: null,
  self: false,
  sources: [
    {
      transport: "mdns",
      key: "a",
      trust: "announced",
      firstSeenMs: 0,
      lastSeenMs: 0,
      expiresMs: null,
      firstSeenAt: "2026-01-01T00:00:00.000Z",
      lastSeenAt: "2026-01-01T00:00:00.000Z",
      expiresAt: null,
      stale: null,
      relayed: false,
    },
  ],
};
const ollama: NodeInfo = {
  ...node,
  id: "pc",
  info: "pc",
  server: "ollama",
  apis: ["ollama", "openai"],
  models: ["phi3"],
};
/** Server as the network lists it. */
const upstairs = { id: "a", port: 8_000, info: "upstairs", server: "vllm", apis: ["openai"] };
const locked: NodeInfo = { ...node, id: "locked", auth: "required" };

function read(format: ExportFormat, ...nodes: readonly NodeInfo[]): unknown {
  return JSON.parse(exported(format, nodes));
}

describe("an export", () => {
  test("for LiteLLM names each model with its API", () => {
    expect(read("litellm", ollama, node, locked)).toEqual({
      model_list: [
        {
          model_name: "llama3",
          litellm_params: { model: "openai/llama3", api_base: "http://192.0.2.1:8000/v1", api_key: "none" },
        },
        {
          model_name: "phi3",
          litellm_params: { model: "ollama_chat/phi3", api_base: "http://192.0.2.1:8000" },
        },
      ],
    });
  });

  test("for Olla tells endpoints of one name apart", () => {
    const twin = { ...node, id: "twin" };
    const { discovery } = read("olla", node, twin, ollama, locked) as {
      discovery: { static: { endpoints: unknown } };
    };
    expect(discovery.static.endpoints).toEqual([
      { url: "http://192.0.2.1:8000", name: "upstairs box", type: "vllm", priority: 100 },
      { url: "http://192.0.2.1:8000", name: "pc", type: "ollama", priority: 100 },
      { url: "http://192.0.2.1:8000", name: "upstairs twin", type: "vllm", priority: 100 },
    ]);
  });

  test("for Prometheus has servers with metrics", () => {
    expect(read("prometheus", node, ollama)).toMatchObject([{ targets: ["192.0.2.1:8000"] }]);
  });

  test("for Caddy has servers of OpenAI's API that one reverse_proxy can have", () => {
    const upstreams = exported("caddy", [
      ollama,
      locked,
      { ...node, id: "v6", host: "fe80::1%eth0", port: 9_000 },
      { ...node, id: "tls", scheme: "https", openaiUrl: "https://192.0.2.2:8443/v1" },
      { ...node, id: "below", openaiUrl: "http://192.0.2.3:3000/api/v1" },
      { ...node, id: "chat", openaiUrl: null },
    ]);
    expect(upstreams).toBe("# written by lmserv export caddy\nto 192.0.2.1:8000\nto [fe80::1%eth0]:9000\n");
    expect(exported("caddy", [])).toBe("# written by lmserv export caddy\n");
  });

  test("as JSON has what discover has", () => {
    const { nodes } = read("json", node) as { nodes: unknown };
    const document = { formatVersion: "1.1", complete: true, durationMs: 0, warnings: [], nodes };
    expect(closed.discover(document), JSON.stringify(closed.discover.errors)).toBe(true);
  });

  test.each(exportFormats)("for %s holds nothing that a stranger writes but text", (format) => {
    const evil = `<script>\u001b[31m\u202e\n- b: c\n}${"x".repeat(10_000)}`;
    const text = exported(format, [{ ...node, id: evil, info: evil, server: "vllm", models: [evil] }]);
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    if (format === "caddy") expect(text).toBe("# written by lmserv export caddy\nto 192.0.2.1:8000\n");
    else expect(JSON.stringify(JSON.parse(text))).toContain("<script>");
    expect(text.split("\n")).toHaveLength(format === "caddy" ? 3 : 2);
  });
});

describe("lmserv export", () => {
  let machine: Machine;
  let folder: string;
  let file: string;
  let running: Running | null;

  beforeEach(async () => {
    machine = new Machine();
    folder = await mkdtemp(join(tmpdir(), "lmserv-export-"));
    file = join(folder, "nodes.json");
    running = null;
  });

  afterEach(async () => {
    running?.signal("SIGTERM");
    await running?.ended;
    await rm(folder, { recursive: true });
  });

  const names = async (): Promise<readonly string[]> =>
    JSON.parse(await readFile(file, "utf8")).nodes.map(({ info }: { info: string }) => info);

  async function watch(...argv: readonly string[]): Promise<void> {
    running = machine.start("export", "json", "--watch", "--out", file, ...argv);
    await machine.until(() => machine.network.sent > 0);
  }

  /** Lets virtual time pass, and waits for the resulting work. */
  async function pass(ms: number, done: () => Promise<boolean>): Promise<void> {
    await machine.clock.advance(ms);
    await expect.poll(done).toBe(true);
  }

  const has = (count: number) => async () =>
    (await readdir(folder)).includes("nodes.json") && (await names()).length === count;

  test("prints the list once", async () => {
    machine.network.appear(upstairs);
    expect(await machine.run(4_000, "export", "json")).toBe(0);
    expect(JSON.parse(machine.stdout.text).nodes).toMatchObject([{ info: "upstairs" }]);
    expect(await new Machine().run(4_000, "export", "json")).toBe(1);
  });

  test("writes a file anew when something changes, and leaves nothing else behind", async () => {
    machine.network.appear(upstairs);
    await watch();
    await pass(5_000, has(1));
    machine.network.appear({ ...upstairs, id: "b", port: 8_001, info: "downstairs" });
    await pass(2_000, has(2));
    machine.network.vanish("a");
    await pass(2_000, has(1));
    expect(await names()).toEqual(["downstairs"]);
    expect(await readdir(folder)).toEqual(["nodes.json"]);
  });

  test("keeps the old file until the first look is over", async () => {
    await writeFile(file, "old");
    await watch();
    await machine.clock.advance(100);
    expect(await readFile(file, "utf8")).toBe("old");
    await pass(10_000, has(0));
  });

  test("warns of a file that cannot be written, and tries again", async () => {
    machine.network.appear(upstairs);
    file = join(folder, "missing", "nodes.json");
    await watch();
    await machine.clock.advance(5_000);
    await machine.until(() =>
      machine.stderr.text.includes(`cannot write ${file}, which stays as it was: ENOENT`),
    );
    await mkdir(join(folder, "missing"));
    await machine.clock.advance(10_000);
    await machine.until(() => machine.stderr.text.includes(`wrote ${file}`));
    expect(await names()).toEqual(["upstairs"]);
  });

  test("runs a command after each write, and reports one that fails or hangs", async () => {
    machine.network.appear(upstairs);
    const log = join(folder, "log");
    await watch("--exec", `echo run >> '${log}'; test $(wc -l < '${log}') -lt 2 || exec sleep 1000`);
    const ran = (times: number) => async () =>
      (await readFile(log, "utf8").catch(() => "")).split("run").length === times + 1;
    await pass(5_000, ran(1));
    machine.network.vanish("a");
    await pass(2_000, ran(2));
    await machine.clock.advance(30_000);
    await machine.until(() =>
      /had not ended after 30 s, and was killed; it runs again/.test(machine.stderr.text),
    );
    running?.signal("SIGTERM");
    expect(await running?.ended).toBe(0);
    expect(machine.clock.pending).toBe(0);
  });

  test("reports a command that fails, and runs it again at the next change", async () => {
    machine.network.appear(upstairs);
    const log = join(folder, "log");
    await watch("--exec", `echo run >> '${log}'; exit 7`);
    const failed = (times: number) => () => machine.stderr.text.split("it ended with 7").length === times + 1;
    await machine.clock.advance(5_000);
    await machine.until(failed(1));
    machine.network.vanish("a");
    await machine.clock.advance(2_000);
    await machine.until(failed(2));
    expect(machine.stderr.text).toMatch(/exit 7": it ended with 7; it runs again at the next change/);
    expect(await readFile(log, "utf8")).toBe("run\nrun\n");
    expect(await names()).toEqual([]);
  });

  test.each([
    [["--exec", "true"], "option '--exec' needs --out"],
    [["--watch", "--timeout", "3s"], "option '--timeout' cannot be used with option '--watch'"],
  ])("with %j is refused", async (argv, message) => {
    expect(await machine.start("export", "json", ...argv).ended).toBe(2);
    expect(machine.stderr.text).toContain(message);
  });
});

describe("lmserv env", () => {
  test("points at the endpoint of this machine", async () => {
    const machine = new Machine();
    machine.accepting.add("127.0.0.1");
    machine.servers.set(8_740, { kind: "document", role: "gateway", servers: [] } as never);
    expect(await machine.start("env").ended).toBe(0);
    expect(machine.stdout.text).toBe(
      "OPENAI_BASE_URL=http://127.0.0.1:8740/v1\nOLLAMA_HOST=http://127.0.0.1:8740\n",
    );
  });

  test.each([
    ["sh", /^export OPENAI_BASE_URL='http:\/\/[\d.]+:8000\/v1'\n$/],
    ["fish", /^set -gx OPENAI_BASE_URL 'http:\/\/[\d.]+:8000\/v1'\n$/],
    ["powershell", /^\$env:OPENAI_BASE_URL = 'http:\/\/[\d.]+:8000\/v1'\n$/],
  ])("points at a server else, for %s", async (shell, line) => {
    const machine = new Machine();
    machine.network.appear(upstairs);
    expect(await machine.run(5_000, "env", "--shell", shell)).toBe(0);
    expect(machine.stdout.text).toMatch(line);
  });

  test("says that there is none", async () => {
    const machine = new Machine();
    expect(await machine.run(5_000, "env")).toBe(1);
    expect(machine.stderr.text).toContain("no LLM server can be used");
  });
});
