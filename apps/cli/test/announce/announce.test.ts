import { constants } from "node:os";
import type { Fingerprint } from "@lmserv/discovery-fingerprint";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { endingSignals, type SignalName } from "../../src/io/interruption.ts";
import { Announcing, hangAtGoodbye, lan, loopback } from "../announcing.ts";
import { info, type Machine, served } from "../harness.ts";

let scene: Announcing;
let machine: Machine;

beforeEach(() => {
  scene = new Announcing();
  machine = scene.machine;
});

const announce = (...argv: string[]): Promise<void> => scene.announce(...argv);
const kinds = (): readonly string[] => scene.kinds();
const news = (): readonly string[] => scene.news();
const end = (name: SignalName, code: number): Promise<void> => scene.end(name, code);

describe("lmserv announce", () => {
  it("announces what it is told, and says goodbye at SIGTERM", async () => {
    machine.accepting.add(lan);
    const argv = ["--path", "/v1/chat", "--name", "Box", "--model", "a", "b", "--server", "vllm"];
    await announce("--info", "gpu-box-01", ...argv);
    expect(scene.heard).toMatchObject([
      {
        kind: "presence",
        node: { port: 8000, info: "gpu-box-01", path: "/v1/chat", models: ["a", "b"], server: "vllm" },
      },
    ]);
    await end("SIGTERM", 0);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect(machine.stderr.lines).toEqual([
      "lmserv: announcing port 8000 while a server answers there; stop with Ctrl-C",
      'lmserv: announced vllm on port 8000 as "gpu-box-01", over mdns on every interface',
      "lmserv: said goodbye for port 8000",
    ]);
    expect(machine.stdout.text).toBe("");
  });

  it("does not claim every interface where there is none but loopback", async () => {
    machine.interfaces = { lo: [info(loopback, true)] };
    await announce("--info", "box", "--no-check");
    expect(machine.stderr.lines).toContain(
      'lmserv: announced port 8000 as "box", over mdns on lo, which other machines do not hear: this one has no other network interface',
    );
    await end("SIGTERM", 0);
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
    scene.running.fault(new Error("broken"));
    expect(await scene.running.ended).toBe(70);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect(machine.stderr.text).toContain("lmserv: error: Error: broken");
  });

  it("is known by the name of the machine unless told otherwise", async () => {
    machine.accepting.add(lan);
    await announce();
    expect(scene.heard[0]?.node.info).toMatch(/./);
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
    const running = machine.start("announce", "--port", "8000", "-q");
    await machine.until(() => scene.heard.length > 0);
    running.signal("SIGTERM");
    expect(await running.ended).toBe(0);
    expect(machine.stderr.text).toBe("");
  });
});

describe("the server that is named", () => {
  it("is not announced before it answers", async () => {
    await announce("--info", "box");
    await machine.clock.advance(60_000);
    expect([machine.network.sent, news()]).toEqual([0, []]);
    machine.accepting.add(loopback).add(lan);
    await machine.clock.advance(3_000);
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });

  it("is looked for on this machine's own addresses, loopback first", async () => {
    await announce();
    expect(machine.connected).toEqual(
      [loopback, "::1", lan, "fe80::7%eth0"].map((address) => `${address} 8000`),
    );
    await end("SIGTERM", 0);
  });

  it("is down within 5 s of its crash, and up within 3 s of its return, as the same node", async () => {
    machine.accepting.add(lan);
    await announce();
    await machine.clock.advance(21_000);
    const crashedMs = machine.clock.now();
    machine.accepting.clear();
    await machine.clock.advance(30_000);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect((scene.heard[1]?.atMs ?? 0) - crashedMs).toBeLessThan(5_000);
    expect(news()[1]).toBe("said goodbye for port 8000: nothing listens on its port any more");
    const returnedMs = machine.clock.now();
    machine.accepting.add(lan);
    await machine.clock.advance(30_000);
    expect(kinds()).toEqual(["presence", "goodbye", "presence"]);
    expect((scene.heard[2]?.atMs ?? 0) - returnedMs).toBeLessThan(3_000);
    expect(new Set(scene.heard.map(({ id }) => id))).toEqual(new Set([machine.identity.key.id]));
    await end("SIGTERM", 0);
  });

  it.each<[Fingerprint, string]>([
    [{ kind: "silent", why: "closed" }, "the port accepts connections and closes them"],
    [{ kind: "other", is: "foreign" }, "it does not speak HTTP"],
    [{ kind: "other", is: "failing" }, "it answers every question with a server error"],
  ])("is not announced where a look shows %j", async (result, reason) => {
    machine.accepting.add(lan);
    machine.servers.set(8_000, result);
    await announce();
    await machine.clock.advance(60_000);
    expect([machine.network.sent, news()]).toEqual([0, [`port 8000 is not announced: ${reason}`]]);
    machine.servers.set(8_000, served("lmserv"));
    await machine.clock.advance(6_000);
    expect(kinds()).toEqual(["presence"]);
    await end("SIGTERM", 0);
  });

  it("is announced for what it is, an unknown HTTP server", async () => {
    machine.accepting.add(lan);
    machine.servers.set(8_000, { kind: "other", is: "http" });
    await announce("--info", "box");
    expect(scene.heard[0]?.node).toMatchObject({ server: null, path: null });
    expect(news()[0]).toMatch(/^announced an unknown server on port 8000 as "box"/);
    await end("SIGTERM", 0);
  });

  it("gets no second goodbye when it was down at the end", async () => {
    machine.accepting.add(lan);
    await announce();
    machine.accepting.clear();
    await machine.clock.advance(15_000);
    await end("SIGTERM", 0);
    expect(kinds()).toEqual(["presence", "goodbye"]);
    expect(news()).toHaveLength(2);
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
    expect(await scene.running.ended).toBe(2);
    expect(machine.stderr.lines).toEqual([
      "lmserv: error: process 4711 announces port 8000 of this machine already, and each would hide the other; end it first, or name all transports in one command (this one: --transport mdns)",
    ]);
    expect([scene.heard, machine.made.length]).toEqual([[], 1]);
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
    expect(await scene.running.ended).toBe(3);
    expect(machine.stderr.text).toContain("lmserv: error: mdns: PERMISSION_DENIED: ");
  });

  it("that cannot announce makes 3", async () => {
    const listener = memory({ network: new MemoryNetwork(), name: "mdns", announces: false });
    machine.plugins.set("mdns", machine.factory(listener));
    await announce();
    expect(await scene.running.ended).toBe(3);
    expect(machine.stderr.text).toContain("TRANSPORT_UNAVAILABLE");
  });

  it("that finds the announcement too large makes 2", async () => {
    await announce(
      "--no-check",
      "--model",
      ...Array.from({ length: 90 }, (_, index) => `${index}`.padEnd(200, "x")),
    );
    expect(await scene.running.ended).toBe(2);
    expect(machine.stderr.text).toMatch(/lmserv: error: a frame of \d+ bytes is too large/);
  });

  it("is waited for while there is no network", async () => {
    machine.network.refuse("NO_INTERFACE");
    await announce();
    expect(machine.stderr.text).toContain("lmserv: warning: mdns: NO_INTERFACE: ");
    await machine.clock.advance(60_000);
    expect(scene.heard).toEqual([]);
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
    scene.listen();
    await machine.clock.advance(10_000);
    expect(kinds()).toEqual(["presence", "presence"]);
    expect(scene.heard[1]?.id).toBe(scene.heard[0]?.id);
    await end("SIGTERM", 0);
  });
});

describe("a second signal", () => {
  let goodbyes: number;

  beforeEach(() => {
    goodbyes = 0;
    hangAtGoodbye(machine, () => {
      goodbyes += 1;
    });
  });

  it("ends at once what hangs in its goodbye", async () => {
    await announce("--no-check");
    scene.running.signal("SIGINT");
    await machine.clock.advance(500);
    expect(goodbyes).toBe(1);
    scene.running.signal("SIGINT");
    expect(await scene.running.ended).toBe(130);
  });

  it("is not waited for when nothing caught it, as an error", async () => {
    await announce("--no-check");
    scene.running.fault(new Error("first"));
    scene.running.fault(new Error("second"));
    expect(await scene.running.ended).toBe(70);
  });

  it("is the same as the first when a parent passes that on", async () => {
    await announce("--no-check");
    scene.running.signal("SIGINT");
    scene.running.signal("SIGINT");
    await machine.clock.advance(1_000);
    scene.running.signal("SIGTERM");
    expect(await scene.running.ended).toBe(143);
  });
});
