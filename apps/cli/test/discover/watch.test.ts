import type { Transport } from "@lmserv/discovery-core/transport";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { Capture, Machine, type Running } from "../harness.ts";
import { closed, published } from "../schemas.ts";

const box = { id: "box-1", port: 8000, info: "gpu-box-01", path: "/chat", server: "lmserv" };
const version = { type: "version", formatVersion: "1.1" };

let machine: Machine;
let running: Running;

beforeEach(() => {
  machine = new Machine();
  machine.health = null;
});

async function watch(...argv: string[]): Promise<void> {
  running = machine.start("discover", "--watch", ...argv);
  await machine.until(() => machine.network.sent > 0);
}

function printed(): readonly unknown[] {
  const lines = machine.stdout.lines.map((line) => JSON.parse(line));
  for (const line of lines) {
    closed.watch(line);
    expect(closed.watch.errors).toBeNull();
  }
  return lines;
}

function comeAndGo(): void {
  machine.network.appear(box);
  machine.network.vanish(box.id);
}

async function interrupt(): Promise<void> {
  running.signal("SIGINT");
  expect(await running.ended).toBe(130);
  expect(machine.clock.pending).toBe(0);
}

describe("lmserv discover --watch --json", () => {
  it("prints its version, then every change", async () => {
    await watch("--json");
    machine.network.appear(box);
    await machine.clock.advance(1_000);
    machine.network.appear({ ...box, info: "renamed" });
    await machine.clock.advance(1_000);
    machine.network.vanish(box.id);
    await machine.clock.advance(0);
    expect(printed()).toMatchObject([
      version,
      { type: "up", node: { id: "box-1", info: "gpu-box-01" } },
      { type: "updated", node: { id: "box-1", info: "renamed" } },
      { type: "down", reason: "goodbye", node: { id: "box-1", info: "renamed" } },
    ]);
    expect(machine.stderr.text).toBe("");
    await interrupt();
  });

  it("tells how a node is once that is known", async () => {
    machine.health = "busy";
    await watch("--json");
    machine.network.appear(box);
    await machine.clock.advance(0);
    expect(printed()).toMatchObject([
      version,
      { type: "up", node: { health: null } },
      { type: "updated", node: { health: { state: "busy" } } },
    ]);
    await interrupt();
  });

  it("tells of the nodes that fit a filter, and of no others", async () => {
    await watch("--json", "--server", "ollama");
    machine.network.appear(box);
    machine.network.appear({ ...box, id: "box-2", server: "ollama" });
    await machine.clock.advance(0);
    expect(printed()).toMatchObject([version, { type: "up", node: { id: "box-2" } }]);
    await interrupt();
  });

  it("tells of a node that fell silent, after its --ttl", async () => {
    await watch("--json", "--ttl", "10s");
    machine.network.appear(box);
    await machine.clock.advance(100);
    machine.network.silence(box.id);
    await machine.clock.advance(10_100);
    expect(printed()).toMatchObject([version, { type: "up" }, { type: "down", reason: "expired" }]);
    await interrupt();
  });

  it("goes on over the death of its transport, with a warning", async () => {
    await watch("--json");
    machine.network.fail();
    await machine.clock.advance(1_000);
    machine.network.restore();
    await machine.clock.advance(10_000);
    machine.network.appear(box);
    await machine.clock.advance(0);
    const lines = printed();
    expect(lines[0]).toEqual(version);
    expect(lines[1]).toMatchObject({ type: "warning", code: "TRANSPORT_FAILED", transport: "mdns" });
    expect(lines.at(-1)).toMatchObject({ type: "up" });
    await interrupt();
  });

  it("tells that a transport is lost, which nodes are stale, and which are back", async () => {
    machine.network.appear(box);
    machine.network.appear({ ...box, id: "box-2", port: 8001 });
    await watch("--json");
    await machine.clock.advance(1_000);
    machine.network.fail();
    machine.network.silence("box-2");
    await machine.clock.advance(10_000);
    machine.network.restore();
    await machine.clock.advance(10_000);
    const [stale, fresh] = ["TRANSPORT_FAILED", null].map((cause) => ({ sources: [{ stale: cause }] }));
    expect(printed().slice(3)).toMatchObject([
      { type: "warning", code: "TRANSPORT_FAILED", transport: "mdns" },
      { type: "lost", code: "TRANSPORT_FAILED", transport: "mdns" },
      { type: "updated", node: { id: "box-1", ...stale } },
      { type: "updated", node: { id: "box-2", ...stale } },
      { type: "recovered", transport: "mdns" },
      { type: "updated", node: { id: "box-1", ...fresh } },
      { type: "down", reason: "unreachable", node: { id: "box-2" } },
    ]);
    await interrupt();
  });

  it("tells nothing but a warning of a loss that is over at once", async () => {
    machine.network.appear(box);
    await watch("--json");
    await machine.clock.advance(1_000);
    machine.network.fail();
    machine.network.restore();
    await machine.clock.advance(10_000);
    expect(printed().slice(2)).toMatchObject([{ type: "warning", code: "TRANSPORT_FAILED" }]);
    await interrupt();
  });

  it("waits for a network", async () => {
    machine.network.refuse("NO_INTERFACE");
    running = machine.start("discover", "--watch", "--json");
    await machine.until(() => machine.stdout.lines.length > 1);
    machine.network.restore();
    machine.network.appear(box);
    await machine.clock.advance(10_000);
    expect(printed()).toMatchObject([version, { type: "warning", code: "NO_INTERFACE" }, { type: "up" }]);
    await interrupt();
  });

  it("ends with 3 when no transport can be opened", async () => {
    machine.network.refuse("PERMISSION_DENIED");
    expect(await machine.start("discover", "--watch", "--json").ended).toBe(3);
    expect(printed()).toMatchObject([version, { type: "warning", code: "PERMISSION_DENIED" }]);
    expect(machine.stderr.text).toContain("lmserv: error: mdns: PERMISSION_DENIED: ");
  });

  it("ends with 143 at SIGTERM", async () => {
    await watch("--json");
    running.signal("SIGTERM");
    expect(await running.ended).toBe(143);
  });
});

describe("a watch that loses its transport", () => {
  it("says in a line each that a transport is lost and that it is back", async () => {
    await watch();
    machine.network.fail();
    await machine.clock.advance(10_000);
    machine.network.restore();
    await machine.clock.advance(10_000);
    expect(machine.stderr.lines.slice(-2)).toEqual([
      "lmserv: mdns is lost, and its nodes are stale: mdns: the network died",
      "lmserv: mdns is back",
    ]);
    await interrupt();
  });
});

describe("a watch with an end", () => {
  it.each([
    ["something was up", true, 0],
    ["nothing was", false, 1],
  ])("ends at --timeout: %s", async (_, isFound, code) => {
    await watch("--json", "--timeout", "5s");
    if (isFound) comeAndGo();
    await machine.clock.advance(5_000);
    expect(await running.ended).toBe(code);
    expect(machine.clock.pending).toBe(0);
  });

  it("ends with 3 when the time is up and the network never came", async () => {
    machine.network.refuse("NO_INTERFACE");
    running = machine.start("discover", "--watch", "--timeout", "5s");
    await machine.until(() => machine.stderr.text.includes("NO_INTERFACE"));
    await machine.clock.advance(5_000);
    expect(await running.ended).toBe(3);
  });

  it("ends with --first", async () => {
    await watch("--json", "--first");
    machine.network.appear(box);
    machine.network.appear({ ...box, id: "box-2" });
    expect(await running.ended).toBe(0);
    expect(printed()).toMatchObject([version, { type: "up", node: { id: "box-1" } }]);
  });

  it("ends when as many as --wait are there at once", async () => {
    await watch("--json", "--wait", "2");
    comeAndGo();
    await machine.clock.advance(10);
    machine.network.appear({ ...box, id: "box-2" });
    await machine.clock.advance(10);
    machine.network.appear({ ...box, id: "box-3" });
    expect(await running.ended).toBe(0);
    expect(printed().at(-1)).toMatchObject({ type: "up", node: { id: "box-3" } });
  });
});

describe("lmserv discover --watch for people", () => {
  it("prints a line for every change", async () => {
    await watch();
    machine.network.appear(box);
    await machine.clock.advance(10);
    machine.network.vanish(box.id);
    await machine.clock.advance(10);
    const node = "?        gpu-box-01        lmserv     -                 http://198.18.0.2:8000/chat";
    expect(machine.stdout.lines).toEqual([
      `2026-01-01T00:00:00.000Z  up       ${node}  (1)`,
      `2026-01-01T00:00:00.010Z  down     ${node}  goodbye  (0)`,
    ]);
    expect(machine.stderr.lines).toEqual(["lmserv: watching for LLM servers; stop with Ctrl-C"]);
    await interrupt();
  });

  it("names the sources with -v, and colours changes on a terminal", async () => {
    machine.isTerminal = true;
    await watch("-v");
    machine.network.appear(box);
    await machine.clock.advance(10);
    expect(machine.stdout.lines[0]).toContain("  \u001b[32mup     \u001b[39m  ?  ");
    expect(machine.stdout.lines[0]).toMatch(/\/chat {2}mdns {2}\(1\)$/);
    await interrupt();
  });

  it("prints warnings on stderr", async () => {
    const other = new MemoryNetwork();
    other.refuse("ADDRESS_IN_USE");
    machine.plugins.set("smoke", machine.factory(memory({ network: other, name: "smoke" })));
    await watch("--transport", "mdns,smoke");
    expect(machine.stderr.text).toContain("lmserv: warning: smoke: ADDRESS_IN_USE: ");
    await interrupt();
  });
});

describe("a reader that does not keep up", () => {
  /** Stream that accepts nothing until it is released. */
  class Sluggish extends Capture {
    #held: (() => void)[] = [];

    override _write(chunk: Buffer, encoding: string, done: (error: Error | null) => void): void {
      this.#held.push(() => super._write(chunk, encoding, done));
    }

    resume(): void {
      for (const write of this.#held.splice(0)) write();
    }
  }

  it("holds up the watch and gets the sum of the changes", async () => {
    const slow = Object.assign(new Sluggish({ highWaterMark: 1 }), { isTTY: false });
    machine.stdout = slow;
    await watch("--json");
    machine.network.appear(box);
    await machine.clock.advance(10);
    for (let version = 1; version <= 50; version += 1) {
      machine.network.appear({ ...box, info: `version ${version}` });
      await machine.clock.advance(10);
    }
    for (let turn = 0; turn < 10; turn += 1) {
      slow.resume();
      await machine.clock.advance(10);
    }
    const lines = printed();
    expect(lines.at(-1)).toMatchObject({ node: { info: "version 50" } });
    expect(lines.length).toBeLessThan(6);
    running.signal("SIGINT");
    slow.resume();
    await machine.until(() => machine.clock.pending === 0);
    slow.resume();
    expect(await running.ended).toBe(130);
  });

  it("ends the watch without error when it leaves", async () => {
    await watch("--json");
    machine.stdout.failure = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    machine.network.appear(box);
    expect(await running.ended).toBe(0);
    expect(machine.stderr.text).toBe("");
    expect(machine.clock.pending).toBe(0);
  });
});

describe("the published schema of a line", () => {
  it.each([
    [{ type: "version" }],
    [{ type: "version", formatVersion: "2.0" }],
    [{ type: "up" }],
    [{ type: "down", reason: "bored" }],
    [{ type: "warning", code: "lower", transport: null, message: "" }],
    [{ type: "warning", code: "NO_ANSWER", message: "" }],
    [{ type: "found" }],
    [[]],
  ])("refuses %j", (line) => {
    expect(published.watch(line)).toBe(false);
  });

  it("refuses a change without its node or reason", async () => {
    await watch("--json");
    comeAndGo();
    await machine.clock.advance(10);
    await interrupt();
    const down = JSON.parse(machine.stdout.lines.at(-1) ?? "");
    expect(published.watch(down)).toBe(true);
    expect(published.watch({ ...down, later: 1 })).toBe(true);
    expect(published.watch({ ...down, reason: undefined })).toBe(false);
    expect(published.watch({ ...down, node: undefined })).toBe(false);
    expect(published.watch({ ...down, node: { ...down.node, port: "8000" } })).toBe(false);
  });
});

describe("a defect", () => {
  it("in a transport makes 70, with the stack", async () => {
    const broken: Transport = { name: "mdns", open: () => Promise.reject(new TypeError("oops")) };
    machine.plugins.set("mdns", machine.factory(broken));
    expect(await machine.start("discover", "--watch").ended).toBe(70);
    expect(machine.stderr.text).toMatch(/lmserv: error: TypeError: oops\n {4}at /);
  });
});
