import { constants } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SignalName } from "../../src/io/interruption.ts";
import { Announcing, hangAtGoodbye, lan, loopback } from "../announcing.ts";
import { type Machine, type Running, served } from "../harness.ts";

// The child is a process of this machine; the network, the time and the answers are the test's.

let scene: Announcing;
let machine: Machine;
let running: Running;

beforeEach(() => {
  scene = new Announcing();
  machine = scene.machine;
});

afterEach(async () => {
  running.signal("SIGTERM");
  await running.ended;
  expect(machine.clock.pending).toBe(0);
});

/** Runs a child that does nothing until a signal ends it. */
async function run(...argv: string[]): Promise<void> {
  running = machine.start("run", "--info", "box", ...argv, "--", "sleep", "600");
  await machine.until(() => machine.stderr.text.includes("lmserv: started sleep as process "));
  await machine.clock.advance(0);
}

async function end(name: SignalName): Promise<number> {
  running.signal(name);
  return running.ended;
}

const news = (): readonly string[] => scene.news();

describe("the server of a command", () => {
  it("is announced while it answers, and said goodbye for at the command's end", async () => {
    await run("--port", "8000");
    await machine.clock.advance(10_000);
    expect([machine.network.sent, machine.made.length]).toEqual([0, 1]);
    machine.accepting.add(lan);
    await machine.clock.advance(3_000);
    expect(scene.heard).toMatchObject([{ kind: "presence", node: { port: 8_000, info: "box" } }]);
    machine.accepting.clear();
    await machine.clock.advance(5_000);
    expect(scene.kinds()).toEqual(["presence", "goodbye"]);
    machine.accepting.add(lan);
    await machine.clock.advance(3_000);
    expect(await end("SIGTERM")).toBe(143);
    expect(scene.kinds()).toEqual(["presence", "goodbye", "presence", "goodbye"]);
    expect(new Set(scene.heard.map(({ id }) => id))).toEqual(new Set([machine.identity.key.id]));
  });

  it("is found on each known port, and on further ones", async () => {
    machine.servers.set(9_999, served("vllm"));
    await run("--ports", "9999");
    machine.accepting.add(lan);
    await machine.clock.advance(12_000);
    expect([...scene.known().values()].map((node) => node.split(" ").slice(-4, -2))).toEqual([
      ["lmserv", "8000"],
      ["vllm", "9999"],
    ]);
  });

  it("is none that was there before", async () => {
    machine.accepting.add(lan);
    await run("--port", "8000");
    await machine.clock.advance(61_000);
    expect([scene.heard, news()]).toEqual([
      [],
      [
        "warning: the command has not answered on port 8000 within 60 s of its start: another program has had it since before",
      ],
    ]);
  });

  it("is waited for, with a warning after 60 s", async () => {
    await run();
    await machine.clock.advance(59_000);
    expect(news()).toEqual([]);
    await machine.clock.advance(60_000);
    expect(news()).toEqual([
      expect.stringMatching(
        /^warning: the command has answered on none of the ports .*8000.* within 60 s of its start; if it listens on another, name that with --port$/,
      ),
    ]);
    machine.accepting.add(lan);
    await machine.clock.advance(12_000);
    expect(scene.kinds()).toEqual(["presence"]);
  });

  it("is not announced for what it is not, and the reason is said", async () => {
    machine.servers.set(8_000, { kind: "other", is: "http" });
    await run();
    machine.accepting.add(lan);
    await machine.clock.advance(70_000);
    expect(news()).toEqual([
      "port 8000 is not announced: it speaks HTTP, and shows no sign of an LLM server; --port announces it all the same",
    ]);
  });

  it("on loopback is not announced, with the words that help", async () => {
    machine.servers.set(8_000, served("vllm"));
    await run();
    machine.accepting.add(loopback);
    await machine.clock.advance(12_000);
    expect(news()).toEqual([expect.stringMatching(/it is not announced; .*vllm serve --host 0\.0\.0\.0$/)]);
    expect(scene.heard).toEqual([]);
  });

  it("is left to another process that announces its port", async () => {
    machine.claims.set(8_000, 4_711);
    await run();
    machine.accepting.add(lan);
    await machine.clock.advance(12_000);
    expect(news()).toEqual(["warning: process 4711 announces port 8000 of this machine already"]);
    expect(scene.heard).toEqual([]);
  });

  it("runs on where it cannot be announced", async () => {
    machine.network.refuse("PERMISSION_DENIED");
    await run();
    machine.accepting.add(lan);
    await machine.clock.advance(12_000);
    expect(news()).toEqual([
      expect.stringMatching(/^error: mdns: PERMISSION_DENIED: /),
      "warning: the command runs on and is not announced",
    ]);
    expect(await end("SIGTERM")).toBe(143);
  });

  it("runs on after an error that nothing caught, without its announcement", async () => {
    await run();
    machine.accepting.add(lan);
    await machine.clock.advance(12_000);
    running.fault(new Error("broken"));
    await machine.clock.advance(0);
    expect(scene.kinds()).toEqual(["presence", "goodbye"]);
    expect(await end("SIGTERM")).toBe(143);
  });
});

describe("a command", () => {
  it.each<SignalName>(["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM"])(
    "gets %s, and ends with 128 and its number when that ends it",
    async (name) => {
      await run();
      expect(await end(name)).toBe(128 + constants.signals[name]);
    },
  );

  it.each([
    [["no-such-program", "--help"], 127, /^lmserv: error: cannot start "no-such-program": there is no such/],
    [["/dev/null"], 126, /^lmserv: error: cannot start "\/dev\/null": .*chmod \+x/],
    [[""], 127, /^lmserv: error: cannot start "": /],
  ])("that cannot be started makes what shells make of it: %j", async (command, code, message) => {
    running = machine.start("run", "--", ...command);
    expect(await running.ended).toBe(code);
    expect(machine.stderr.text).toMatch(message);
  });

  it("ends with its own exit code, and has its options for itself", async () => {
    running = machine.start("run", "-q", "--port", "8000", "--", "sh", "-c", 'exit "$2"', "--port", "x", "7");
    expect(await running.ended).toBe(7);
    expect(machine.stderr.text).toBe("");
  });

  it.each([
    [["run"], /missing required argument 'command'/],
    [["run", "--"], /missing required argument 'command'/],
    [["run", "ollama", "serve"], /write -- before the command: lmserv run -- ollama/],
    [["run", "--port", "8000", "llama-server", "--port", "8000"], /--port.*only once/],
    [["run", "--no-check", "--", "true"], /unknown option '--no-check'/],
    [["run", "--path", "/x", "--", "true"], /option '--path' needs --port/],
    [["run", "--transport", "pigeon", "--", "true"], /needs the package @lmserv\/discovery-pigeon/],
  ])("is not started after a mistake: %j", async (argv, complaint) => {
    running = machine.start(...argv);
    expect(await running.ended).toBe(2);
    expect(machine.stderr.text).toMatch(complaint);
    expect(machine.stderr.text).not.toContain("started");
  });
});

describe("a goodbye that hangs", () => {
  it("is given up after 2 s", async () => {
    let goodbyes = 0;
    hangAtGoodbye(machine, () => {
      goodbyes += 1;
    });
    await run();
    machine.accepting.add(lan);
    await machine.clock.advance(12_000);
    running.signal("SIGTERM");
    await machine.until(() => goodbyes > 0);
    await machine.clock.advance(2_000);
    expect(await running.ended).toBe(143);
  });
});
