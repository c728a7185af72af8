import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Announcing, loopback } from "../announcing.ts";
import { info, type Machine, type Running, served } from "../harness.ts";
import { closed } from "../schemas.ts";

/** Address of this machine, which joins the network of the tests second. */
const lan = "198.18.0.2";

let site: Announcing;
let machine: Machine;
let running: Running | null;

beforeEach(() => {
  site = new Announcing();
  machine = site.machine;
  machine.interfaces = { lo: [info(loopback, true)], eth0: [info(lan, false)] };
  machine.servers.set(8_000, served("vllm", { apis: ["openai"], models: ["llama3"] }));
  running = null;
});

afterEach(async () => {
  running?.signal("SIGTERM");
  await running?.ended;
});

/** Starts it and waits until it serves something, or has nothing to serve. */
async function up(...argv: string[]): Promise<void> {
  running = machine.start("up", ...argv);
  await machine.until(() => /announcing|error/.test(machine.stderr.text));
  await machine.clock.advance(5_000);
}

async function get(path: string): Promise<{ nodes: readonly Record<string, unknown>[]; data: unknown }> {
  return (await (
    await fetch(`http://${loopback}:${machine.gateways.get("127.0.0.1 8740")}${path}`)
  ).json()) as never;
}

describe("lmserv up", () => {
  test("announces what runs here, and serves it as one node", async () => {
    machine.accepting.add(loopback).add(lan);
    await up();
    expect([...site.known().values()]).toEqual([expect.stringContaining("vllm 8000 /chat llama3")]);
    expect(await get("/v1/models")).toMatchObject({ data: [{ id: "llama3", owned_by: "vllm" }] });
    const { nodes } = await get("/lmserv/nodes");
    expect(nodes).toMatchObject([{ port: 8_000, self: true, health: { state: "healthy" } }]);
    expect(nodes[0]?.sources).toMatchObject([{ transport: "mdns" }, { transport: "local" }]);
    expect(machine.stderr.text).toContain("listening on http://127.0.0.1:8740\n");
    expect(machine.stderr.text).toContain("announced vllm on port 8000");
  });

  test("serves what listens on loopback only, and says in one line how others could reach it", async () => {
    machine.accepting.add(loopback);
    await up();
    expect(site.known().size).toBe(0);
    expect(await get("/v1/models")).toMatchObject({ data: [{ id: "llama3" }] });
    const advice = machine.stderr.lines.filter((line) => line.includes("cannot reach it"));
    expect(advice).toEqual([expect.stringMatching(/vllm serve --host 0\.0\.0\.0; .*--share$/)]);
  });

  test("finds a server that starts later, and takes leave of one that ends", async () => {
    await up();
    expect((await get("/lmserv/nodes")).nodes).toEqual([]);
    machine.accepting.add(loopback).add(lan);
    await machine.clock.advance(12_000);
    await machine.until(() => machine.stderr.text.includes("serving llama3"));
    expect(site.known().size).toBe(1);
    machine.accepting.clear();
    await machine.clock.advance(20_000);
    expect(site.kinds().at(-1)).toBe("goodbye");
    expect((await get("/lmserv/nodes")).nodes).toEqual([]);
  });

  test("announces a named port, and serves the others too", async () => {
    machine.servers.set(11_434, served("ollama", { apis: ["ollama"], models: ["phi3"] }));
    machine.accepting.add(loopback).add(lan);
    await up("--port", "8000", "--info", "upstairs");
    expect([...site.known().values()]).toEqual([expect.stringContaining("upstairs vllm 8000")]);
    expect((await get("/lmserv/nodes")).nodes).toHaveLength(2);
  });

  test("examines what it uses, as lmserv doctor does", async () => {
    await up();
    const before = machine.stderr.text;
    const document = await get("/lmserv/doctor");
    expect(closed.doctor(document), JSON.stringify(closed.doctor.errors)).toBe(true);
    expect(document).toMatchObject({ checks: [{ transport: "mdns" }, { transport: null }] });
    expect(machine.stderr.text).toBe(before);
  });

  test("says goodbye and ends in order", async () => {
    machine.accepting.add(loopback).add(lan);
    await up();
    running?.signal("SIGTERM");
    expect(await running?.ended).toBe(0);
    expect(site.kinds().at(-1)).toBe("goodbye");
    expect(machine.stderr.text).not.toContain("warning");
    expect(machine.claims.size).toBe(0);
    expect(machine.clock.pending).toBe(0);
  });
});

test("lmserv up shows what a stranger announces as text, of a bounded length", async () => {
  const evil = `<img src=x onerror=alert(1)><script>x</script>\u001b]0;owned\u0007\u202e\n"\\`;
  const stranger = { id: "evil", port: 8_001, info: evil, server: evil, apis: ["openai"] };
  // As much as a frame holds.
  machine.network.appear({ ...stranger, models: [`${evil}${"x".repeat(6_000)}`], hostname: evil });
  machine.accepting.add(loopback);
  await up();
  await machine.until(() => machine.stderr.text.includes("serving <img"));
  const root = `http://${loopback}:${machine.gateways.get("127.0.0.1 8740")}`;
  const texts = await Promise.all(
    ["/metrics", "/lmserv/nodes", "/lmserv/targets", "/lmserv/traffic"].map(async (path) => {
      return (await fetch(`${root}${path}`)).text();
    }),
  );
  expect(texts[0]).toContain("<script>");
  for (const text of [...texts, machine.stderr.text]) expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  for (const line of [...(texts[0]?.split("\n") ?? []), ...machine.stderr.lines]) {
    expect(line.length).toBeLessThan(2_000);
  }
});

describe("a second lmserv up", () => {
  test("says where the first is, and ends", async () => {
    machine.claims.set(0, 4_711);
    machine.accepting.add(loopback);
    machine.servers.set(8_740, { kind: "document", role: "gateway" } as never);
    machine.listeners = [
      { address: loopback, port: 11_434, inode: "1" },
      { address: loopback, port: 8_740, inode: "2" },
    ];
    machine.sockets.set(4_711, new Set(["1", "2"]));
    expect(await machine.start("up").ended).toBe(2);
    expect(machine.stderr.text).toBe(
      "lmserv: error: lmserv up runs on this machine already, as process 4711; its endpoint is http://127.0.0.1:8740\n",
    );
    expect(site.heard).toEqual([]);
  });

  test("names the process alone where the system tells no more", async () => {
    machine.claims.set(0, 4_711);
    expect(await machine.start("up").ended).toBe(2);
    expect(machine.stderr.text).toContain("already, as process 4711\n");
  });
});

test("lmserv up on a port in use announces nothing", async () => {
  machine.accepting.add(loopback).add(lan);
  machine.taken.set("127.0.0.1 8740", "EADDRINUSE");
  expect(await machine.start("up").ended).toBe(2);
  expect(machine.stderr.text).toContain("cannot listen on 127.0.0.1:8740");
  expect(site.heard).toEqual([]);
  expect(machine.claims.size).toBe(0);
  expect(machine.clock.pending).toBe(0);
});
