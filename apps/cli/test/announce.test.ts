import { constants } from "node:os";
import type { Standing, Transport } from "@lmserv/discovery-core";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { endingSignals, type SignalName } from "../src/interruption.ts";
import { Machine, type Running } from "./harness.ts";

/** What somebody else on the network hears. */
interface Heard {
  readonly atMs: number;
  readonly kind: string;
  readonly id: string;
  readonly node: Readonly<Record<string, unknown>>;
}

const loopback = "127.0.0.1";
const lan = "198.51.100.7";

let machine: Machine;
let heard: Heard[];
let running: Running;

beforeEach(() => {
  machine = new Machine();
  heard = [];
  listen();
});

/** Takes part in the network as another host. */
function listen(): void {
  machine.network.join({
    receive: (frame) => {
      const { kind, id, node } = JSON.parse(new TextDecoder().decode(frame));
      if (kind === "presence" || kind === "goodbye") {
        heard.push({ atMs: machine.clock.now(), kind, id: id ?? node.id, node });
      }
    },
    failed: () => {},
  });
}

async function announce(...argv: string[]): Promise<void> {
  running = machine.start("announce", "--port", "8000", ...argv);
  await machine.until(() => machine.stderr.text !== "");
}

function kinds(): readonly string[] {
  return heard.map(({ kind }) => kind);
}

async function end(name: SignalName, code: number): Promise<void> {
  running.signal(name);
  expect(await running.ended).toBe(code);
  expect(machine.clock.pending).toBe(0);
}

describe("lmserv announce", () => {
  it("announces what it is told, and says goodbye at SIGTERM", async () => {
    machine.accepting.add(lan);
    const argv = ["--path", "/v1/chat", "--name", "Box", "--model", "a", "b", "--server", "vllm"];
    await announce("--info", "gpu-box-01", ...argv);
    expect(heard).toMatchObject([
      {
        kind: "presence",
        node: { port: 8000, info: "gpu-box-01", path: "/v1/chat", models: ["a", "b"], server: "vllm" },
      },
    ]);
    await end("SIGTERM", 0);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect(machine.stderr.lines).toEqual([
      'lmserv: announced "Box" on port 8000, over mdns on every interface',
      "lmserv: said goodbye",
    ]);
    expect(machine.stdout.text).toBe("");
  });

  it.each(endingSignals.filter((name) => name !== "SIGTERM" && name in constants.signals))(
    "says goodbye at %s, and makes 128 and its number of it",
    async (name) => {
      machine.accepting.add(lan);
      await announce();
      await end(name, 128 + constants.signals[name]);
      expect(kinds()).toEqual(["presence", "goodbye"]);
    },
  );

  it("says goodbye at an error that nothing caught, and makes 70 of it", async () => {
    machine.accepting.add(lan);
    await announce();
    running.fault(new Error("broken"));
    expect(await running.ended).toBe(70);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect(machine.stderr.text).toContain("lmserv: error: Error: broken");
  });

  it("is known by the name of the machine unless told otherwise", async () => {
    machine.accepting.add(lan);
    await announce();
    expect(heard[0]?.node.info).toMatch(/./);
    await end("SIGTERM", 0);
  });

  it("names the interfaces it was given", async () => {
    await announce("--info", "box", "--no-check", "--interface", "lo", "--interface", lan);
    expect(machine.made).toMatchObject([{ options: { interfaces: ["lo", lan] } }]);
    expect(machine.stderr.text).toContain("over mdns on lo, 198.51.100.7\n");
    await end("SIGTERM", 0);
  });

  it("prints nothing with -q", async () => {
    machine.accepting.add(lan);
    running = machine.start("announce", "--port", "8000", "-q");
    await machine.until(() => heard.length > 0);
    await end("SIGTERM", 0);
    expect(machine.stderr.text).toBe("");
  });
});

describe("the server it speaks for", () => {
  it("is not announced before it answers", async () => {
    await announce("--info", "box");
    expect(machine.stderr.lines).toEqual([
      "lmserv: waiting until a server answers on port 8000: nothing listens",
    ]);
    await machine.clock.advance(60_000);
    expect(machine.network.sent).toBe(0);
    machine.accepting.add(loopback).add(lan);
    await machine.clock.advance(5_000);
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });

  it("is asked on this machine's own addresses, loopback first", async () => {
    await announce();
    expect(machine.connected).toEqual([loopback, "::1", lan, "fe80::7%eth0"]);
    await end("SIGTERM", 0);
    expect(machine.stderr.lines).toHaveLength(1);
  });

  it("is down within 12 s of its crash, and up within 7 s of its return, as the same node", async () => {
    machine.accepting.add(lan);
    await announce();
    await machine.clock.advance(21_000);
    const crashedMs = machine.clock.now();
    machine.accepting.clear();
    await machine.clock.advance(30_000);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect((heard[1]?.atMs ?? 0) - crashedMs).toBeLessThan(12_000);
    expect(machine.stderr.lines[1]).toBe("lmserv: said goodbye: on port 8000 nothing listens");
    const returnedMs = machine.clock.now();
    machine.accepting.add(lan);
    await machine.clock.advance(30_000);
    expect(kinds()).toEqual(["presence", "goodbye", "presence"]);
    expect((heard[2]?.atMs ?? 0) - returnedMs).toBeLessThan(7_000);
    expect(new Set(heard.map(({ id }) => id)).size).toBe(1);
    await end("SIGTERM", 0);
  });

  it.each([
    ["closed", /port 8000: connections are closed as soon as they are accepted/],
    ["foreign", /port 8000: something answers that speaks no HTTP/],
    ["failing", /port 8000: every request is answered by an error \(5xx\)/],
  ] as const)("is not announced where the port shows %s", async (check, message) => {
    for (const address of [loopback, lan]) machine.shown.set(address, check);
    await announce();
    expect(machine.stderr.text).toMatch(message);
    await machine.clock.advance(60_000);
    expect(machine.network.sent).toBe(0);
    expect(machine.stderr.lines).toHaveLength(1);
    machine.shown.clear();
    machine.accepting.add(lan);
    await machine.clock.advance(5_000);
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });

  it("gets no second goodbye when it was down at the end", async () => {
    machine.accepting.add(lan);
    await announce();
    machine.accepting.clear();
    await machine.clock.advance(15_000);
    await end("SIGTERM", 0);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect(machine.stderr.lines).toHaveLength(2);
  });

  it("is announced unasked with --no-check", async () => {
    await announce("--no-check");
    await machine.clock.advance(3_600_000);
    expect(machine.connected).toEqual([]);
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });
});

describe("a port that another process announces", () => {
  it("makes 2, and says which process", async () => {
    machine.claims.set(8_000, 4_711);
    await announce();
    expect(await running.ended).toBe(2);
    expect(machine.stderr.lines).toEqual([
      "lmserv: error: process 4711 announces port 8000 of this machine already, and each would hide the other; end it first, or name all transports in one command (this one: --transport mdns)",
    ]);
    expect([heard, machine.made.length]).toEqual([[], 1]);
  });

  it("is free once the announcement has ended, however it did", async () => {
    await announce("--no-check");
    expect([...machine.claims.keys()]).toEqual([8_000]);
    await end("SIGTERM", 0);
    expect(machine.claims.size).toBe(0);
    machine.network.refuse("PERMISSION_DENIED");
    expect(await machine.start("announce", "--port", "8000").ended).toBe(3);
    expect(machine.claims.size).toBe(0);
  });
});

describe("a transport", () => {
  beforeEach(() => {
    machine.accepting.add(lan);
  });

  it("that cannot be opened makes 3", async () => {
    machine.network.refuse("PERMISSION_DENIED");
    await announce("-q");
    expect(await running.ended).toBe(3);
    expect(machine.stderr.text).toContain("lmserv: error: mdns: PERMISSION_DENIED: ");
  });

  it("that cannot announce makes 3", async () => {
    const listener = memory({ network: new MemoryNetwork(), name: "mdns", announces: false });
    machine.plugins.set("mdns", machine.factory(listener));
    await announce();
    expect(await running.ended).toBe(3);
    expect(machine.stderr.text).toContain("TRANSPORT_UNAVAILABLE");
  });

  it("that refuses the name makes 3", async () => {
    machine.network.appear({ id: "other", name: "Box", port: 1, info: "" });
    await announce("--name", "Box");
    expect(await running.ended).toBe(3);
    expect(machine.stderr.text).toContain("lmserv: error: mdns: NAME_CONFLICT: ");
  });

  it("that finds the announcement too large makes 2", async () => {
    await announce(
      "--no-check",
      "--model",
      ...Array.from({ length: 90 }, (_, index) => `${index}`.padEnd(200, "x")),
    );
    expect(await running.ended).toBe(2);
    expect(machine.stderr.text).toMatch(/lmserv: error: a frame of \d+ bytes is too large/);
  });

  it("is waited for while there is no network", async () => {
    machine.network.refuse("NO_INTERFACE");
    await announce();
    expect(machine.stderr.text).toContain("lmserv: warning: mdns: NO_INTERFACE: ");
    await machine.clock.advance(60_000);
    expect(heard).toEqual([]);
    machine.network.restore();
    await machine.clock.advance(10_000);
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });

  it("is waited for until a signal", async () => {
    machine.network.refuse("NO_INTERFACE");
    await announce();
    await machine.clock.advance(1_000);
    await end("SIGINT", 130);
  });

  it("that dies is announced on again when it is back", async () => {
    await announce();
    machine.network.fail();
    await machine.clock.advance(1_000);
    expect(machine.stderr.text).toContain("lmserv: warning: mdns: TRANSPORT_FAILED: ");
    machine.network.restore();
    listen();
    await machine.clock.advance(10_000);
    expect(kinds()).toEqual(["presence", "presence"]);
    expect(heard[1]?.id).toBe(heard[0]?.id);
    await end("SIGTERM", 0);
  });
});

describe("a second signal", () => {
  let goodbyes: number;

  beforeEach(() => {
    goodbyes = 0;
    const inner = memory({ network: machine.network, name: "mdns" });
    const stuck: Transport = {
      name: "mdns",
      async open(context, options) {
        const session = await inner.open(context, options);
        const hang = async (): Promise<Standing> => ({
          async update() {},
          [Symbol.asyncDispose]: () => {
            goodbyes += 1;
            return new Promise<void>(() => {});
          },
        });
        return { ...session, announce: hang };
      },
    };
    machine.plugins.set("mdns", machine.factory(stuck));
  });

  it("ends at once what hangs in its goodbye", async () => {
    await announce("--no-check");
    running.signal("SIGINT");
    await machine.clock.advance(500);
    expect(goodbyes).toBe(1);
    running.signal("SIGINT");
    expect(await running.ended).toBe(130);
  });

  it("is not waited for when nothing caught it, as an error", async () => {
    await announce("--no-check");
    running.fault(new Error("first"));
    running.fault(new Error("second"));
    expect(await running.ended).toBe(70);
  });

  it("is the same as the first when a parent passes that on", async () => {
    await announce("--no-check");
    running.signal("SIGINT");
    running.signal("SIGINT");
    await machine.clock.advance(1_000);
    running.signal("SIGTERM");
    expect(await running.ended).toBe(143);
  });
});
