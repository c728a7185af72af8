import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { info, Machine, type Running } from "../harness.ts";

const lan = "198.51.100.7";

let machine: Machine;
let running: Running;

beforeEach(() => {
  machine = new Machine();
  machine.accepting.add(lan);
});

async function announce(...argv: string[]): Promise<void> {
  running = machine.start("announce", "--port", "8000", "--info", "box", ...argv);
  await machine.until(() => machine.stderr.text !== "");
  await machine.clock.advance(0);
}

function endpoints(): readonly string[] {
  return [...machine.listening.keys()];
}

async function end(): Promise<void> {
  running.signal("SIGTERM");
  expect(await running.ended).toBe(0);
  expect(endpoints()).toEqual([]);
  expect(machine.clock.pending).toBe(0);
}

describe("lmserv announce --document-port", () => {
  it("serves nothing unless it is asked to", async () => {
    await announce();
    expect(endpoints()).toEqual([]);
    await end();
  });

  it("serves on every address, on the fixed port unless given another", async () => {
    await announce("--document-port");
    expect(endpoints()).toEqual(["* 8741"]);
    expect(machine.stderr.lines.at(-1)).toBe(
      "lmserv: the document about the announced servers is on port 8741",
    );
    await end();
  });

  it("takes another port", async () => {
    await announce("--document-port", "9000");
    expect(endpoints()).toEqual(["* 9000"]);
    await end();
  });

  it.each([
    [["eth0"], [`${lan} 8741`, "fe80::7%eth0 8741"]],
    [[lan], [`${lan} 8741`]],
    [
      ["lo", lan],
      ["127.0.0.1 8741", "::1 8741", `${lan} 8741`],
    ],
  ])("serves on the interfaces that were chosen: %j", async (names, expected) => {
    await announce("--document-port", ...names.flatMap((name) => ["--interface", name]));
    expect(endpoints()).toEqual(expected);
    await end();
  });

  it("is in step with the announcement", async () => {
    machine.accepting.clear();
    await announce("--document-port");
    expect(endpoints()).toEqual([]);
    machine.accepting.add(lan);
    await machine.clock.advance(5_000);
    expect(endpoints()).toEqual(["* 8741"]);
    machine.accepting.clear();
    await machine.clock.advance(15_000);
    expect(endpoints()).toEqual([]);
    machine.accepting.add(lan);
    await machine.clock.advance(5_000);
    expect(endpoints()).toEqual(["* 8741"]);
    await end();
  });

  it("goes with the end of the command, also when no transport works", async () => {
    const deaf = memory({ network: machine.network, name: "mdns", announces: false });
    machine.plugins.set("mdns", machine.factory(deaf));
    running = machine.start("announce", "--port", "8000", "--document-port");
    expect(await running.ended).toBe(3);
    expect(endpoints()).toEqual([]);
    expect(machine.clock.pending).toBe(0);
  });
});

describe("a port that another server's announcement has", () => {
  const warning = /warning: no document on port 8741 while another program has it; .*another --document-port/;

  beforeEach(() => {
    machine.taken.set("* 8741", "EADDRINUSE");
  });

  it("is a warning, once; the server is announced all the same", async () => {
    await announce("--document-port");
    expect(machine.stderr.lines[1]).toContain('on port 8000 as "box"');
    expect(machine.stderr.lines[2]).toMatch(warning);
    await machine.clock.advance(60_000);
    expect(machine.stderr.lines).toHaveLength(3);
    expect(machine.network.sent).toBeGreaterThan(0);
    await end();
  });

  it("is taken over within 10 s when it becomes free", async () => {
    await announce("--document-port");
    machine.taken.clear();
    await machine.clock.advance(10_000);
    expect(endpoints()).toEqual(["* 8741"]);
    expect(machine.stderr.lines.at(-1)).toBe(
      "lmserv: the document about the announced servers is on port 8741",
    );
    await end();
  });
});

describe("an address", () => {
  it("that cannot be had is a warning that says why", async () => {
    machine.taken.set("* 80", "EACCES");
    await announce("--document-port", "80");
    expect(machine.stderr.lines.at(-1)).toBe("lmserv: warning: no document on port 80: listen EACCES");
    await end();
  });

  it("that comes or goes is followed within 10 s", async () => {
    await announce("--document-port", "--interface", "eth0");
    machine.accepting.add("203.0.113.5");
    machine.interfaces = { ...machine.interfaces, eth0: [info("203.0.113.5", false)] };
    await machine.clock.advance(10_000);
    expect(endpoints()).toEqual(["203.0.113.5 8741"]);
    await end();
  });

  it("that is not usable yet is waited for without a word", async () => {
    machine.taken.set("fe80::7%eth0 8741", "EADDRNOTAVAIL");
    await announce("--document-port", "--interface", "eth0");
    expect(endpoints()).toEqual([`${lan} 8741`]);
    machine.taken.clear();
    await machine.clock.advance(10_000);
    expect(endpoints()).toEqual([`${lan} 8741`, "fe80::7%eth0 8741"]);
    expect(machine.stderr.text).not.toContain("warning");
    await end();
  });
});
