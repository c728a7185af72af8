import type { Transport } from "@lmserv/discovery-core";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { info, Machine, type Running } from "./harness.ts";

// Where the server answers decides who can reach it, and who is told of it.

const loopback = "127.0.0.1";
const lan = "198.51.100.7";
const vpn = "10.8.0.2";

let machine: Machine;
let running: Running;
/** At which addresses each announcement, and each change of it, says that the server answers. */
let said: (readonly string[] | undefined)[];
let ids: Set<string>;

beforeEach(() => {
  machine = new Machine();
  said = [];
  ids = new Set();
  machine.plugins.set("mdns", machine.factory(noting()));
});

/** Notes what it is told to announce. */
function noting(): Transport {
  const inner = memory({ network: machine.network, name: "mdns" });
  return {
    name: "mdns",
    async open(context, options) {
      const session = await inner.open(context, options);
      return {
        ...session,
        async announce(node, options) {
          said.push(node.addresses);
          ids.add(node.id);
          const standing = await session.announce?.(node, options);
          if (!standing) throw new Error("it cannot announce");
          return {
            async update(changed, options) {
              said.push(changed.addresses);
              ids.add(changed.id);
              await standing.update(changed, options);
            },
            [Symbol.asyncDispose]: () => standing[Symbol.asyncDispose](),
          };
        },
      };
    },
  };
}

async function announce(...argv: string[]): Promise<void> {
  running = machine.start("announce", "--port", "8000", ...argv);
  await machine.until(() => machine.stderr.text.includes("announced"));
}

async function end(): Promise<void> {
  running.signal("SIGTERM");
  expect(await running.ended).toBe(0);
  expect(machine.clock.pending).toBe(0);
}

describe("a server that only this machine can reach", () => {
  const warning = /warning: the server answers on 127\.0\.0\.1 only.* port 8000; let it listen on 0\.0\.0\.0/;

  beforeEach(() => {
    machine.accepting.add(loopback);
  });

  it("is announced with a warning", async () => {
    await announce();
    expect(machine.stderr.text).toMatch(warning);
    expect(said).toEqual([[loopback]]);
    await end();
  });

  it.each(["lo", loopback])("is fine when it is announced on %s only", async (name) => {
    await announce("--interface", name);
    expect(machine.stderr.text).not.toMatch(warning);
    await end();
  });

  it("is fine when the machine has no other interface, but is not said to be on every one", async () => {
    machine.interfaces = { lo: [info(loopback, true)] };
    await announce("--info", "box");
    expect(machine.stderr.lines).toEqual([
      'lmserv: announced "box" on port 8000, over mdns on lo, which other machines do not hear: this one has no other network interface',
    ]);
    await end();
  });
});

describe("a server that is bound to some of this machine's addresses", () => {
  beforeEach(() => {
    machine.interfaces = {
      ...machine.interfaces,
      docker0: [info("172.17.0.1", false)],
      tun0: [info(vpn, false)],
    };
  });

  it.each([
    ["a VPN's", vpn, "over eth0 (198.51.100.7, fe80::7%eth0),"],
    ["a bridge's", "172.17.0.1", "over eth0 (198.51.100.7, fe80::7%eth0) and tun0 (10.8.0.2),"],
    ["a LAN's", lan, "over tun0 (10.8.0.2),"],
    ["IPv6 only", "fe80::7%eth0", "over tun0 (10.8.0.2),"],
  ])("is announced at those alone, with a warning of the others: %s", async (_, address, where) => {
    machine.accepting.add(address);
    await announce();
    expect(said).toEqual([[address]]);
    expect(machine.stderr.lines).toContain(
      `lmserv: warning: the server answers on ${address} only: ${where} other hosts cannot reach port 8000; let it listen on 0.0.0.0`,
    );
    await end();
  });

  it("changes its announcement when it is bound anew, and the warning is taken back", async () => {
    machine.accepting.add(vpn);
    await announce("--info", "box");
    machine.accepting.add(lan);
    await machine.clock.advance(60_000);
    expect(said).toEqual([[vpn], [lan, vpn]]);
    expect(ids.size).toBe(1);
    expect(machine.stderr.lines.slice(2)).toEqual([
      "lmserv: the server can be reached over eth0 now",
      `lmserv: announced "box" on port 8000, over mdns on every interface, at ${lan}, ${vpn} from now on`,
    ]);
    await end();
  });

  it("is warned of once, and again when other hosts are concerned", async () => {
    machine.accepting.add(vpn).add(lan);
    await announce();
    expect(machine.stderr.text).not.toContain("warning");
    machine.accepting.delete(vpn);
    await machine.clock.advance(600_000);
    expect(machine.stderr.lines.filter((line) => line.includes("warning"))).toHaveLength(1);
    expect(machine.stderr.text).toContain("over tun0 (10.8.0.2), other hosts");
    await end();
  });

  it("is announced wherever nobody looked, with --no-check", async () => {
    await announce("--no-check");
    expect(said).toEqual([undefined]);
    expect(machine.stderr.text).not.toContain("warning");
    await end();
  });
});
