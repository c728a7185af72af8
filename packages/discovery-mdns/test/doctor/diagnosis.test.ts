import { type Check, silentLog } from "@lmserv/discovery-core/transport";
import { systemOf } from "@lmserv/discovery-network";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import type { HostAccess } from "../../src/doctor/diagnosis.ts";
import type { PortHolder } from "../../src/doctor/port-holders.ts";
import { parseUdpTable } from "../../src/doctor/port-holders.ts";
import { chooseInterfaces, listInterfaces } from "../../src/link/interfaces.ts";
import type { Machine } from "../../src/link/link.ts";
import { mdnsOn } from "../../src/transport.ts";
import { Segment } from "../segment.ts";

const avahi: PortHolder = { families: ["IPv4", "IPv6"], pid: 42, program: "avahi-daemon", uid: 107 };

let clock: VirtualClock;
let segment: Segment;
let holders: readonly PortHolder[] | null;
/** Known neighbors, and those of them that answer. */
let known: readonly string[];
let answering: readonly string[];
let asked: (readonly string[])[];

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  segment.exclusive = true;
  holders = [];
  [known, answering, asked] = [[], [], []];
});

async function examine(
  machine: Machine = segment.machine("10.0.0.1"),
  interfaces?: readonly string[],
): Promise<readonly Check[]> {
  // The transport loads it late, in real time.
  await import("../../src/doctor/diagnosis.ts");
  const host: HostAccess = {
    portHolders: async () => holders,
    askDirectly: async (addresses) => {
      asked.push(addresses);
      return addresses.filter((address) => answering.includes(address));
    },
  };
  const context = { clock, random: seededRandom(1), log: silentLog, neighbors: async () => known };
  const found: Check[] = [];
  const run = async (): Promise<void> => {
    const { diagnose } = mdnsOn(machine, { ...(interfaces && { interfaces }) }, host);
    for await (const one of diagnose?.(context, new AbortController()) ?? []) found.push(one);
  };
  const ended = run();
  await clock.advance(10_000);
  await ended;
  return found;
}

const refusing = (code: string): Machine => ({
  ...segment.machine("10.0.0.1"),
  openLink: async () => {
    throw Object.assign(new Error(`bind ${code} 224.0.0.251:5353`), { code });
  },
});

const codes = (checks: readonly Check[]): readonly string[] => checks.map(({ code }) => code);
const last = (checks: readonly Check[]): Check | undefined => checks.at(-1);

describe("multicast", () => {
  test("that others answer is heard", async () => {
    segment.listen(({ type }) => {
      if (type === "query") segment.inject({ type: "response", answers: [] }, "10.0.0.2");
    });
    const found = await examine();
    expect(codes(found)).toEqual([
      "INTERFACE_USED",
      "mdns/port-free",
      "mdns/multicast-returned",
      "mdns/multicast-heard",
    ]);
    expect(last(found)?.message).toContain("10.0.0.2");
    expect(asked, "nobody is bothered").toEqual([]);
  });

  test("of this machine's own, on another interface of the same link, counts as own", async () => {
    const machine = segment.machine("10.0.0.1");
    const { eth0 = [] } = machine.interfaces();
    const wlan0 = eth0.map((info) => ({ ...info, address: "192.0.2.1", cidr: "192.0.2.1/24" }));
    segment.listen(({ type }) => {
      if (type === "query") segment.inject({ type: "response", answers: [] }, "192.0.2.1");
    });
    const found = await examine({ ...machine, system: () => systemOf({ eth0, wlan0 }) });
    expect(codes(found)).not.toContain("mdns/multicast-heard");
    expect(codes(found)).toContain("mdns/multicast-silent");
  });

  test("that nobody answers is asked for twice, a second apart, and is no failure", async () => {
    const found = await examine();
    expect(last(found)).toMatchObject({
      code: "mdns/multicast-silent",
      message: expect.stringContaining("no neighbour is known there either"),
    });
    const [first, second, ...more] = segment.heard.map(({ atMs }) => atMs);
    expect({ gapMs: (second ?? 0) - (first ?? 0), more }).toEqual({ gapMs: 1_000, more: [] });
  });

  test("is dropped where a neighbour answers what it is asked directly", async () => {
    known = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.7", "fe80::2%eth0", "fe80::3%eth1", "fe80::4"];
    answering = ["10.0.0.3"];
    const found = await examine();
    expect(asked).toEqual([["10.0.0.2", "10.0.0.3", "fe80::2%eth0"]]);
    expect(last(found)).toMatchObject({
      code: "mdns/multicast-dropped",
      verdict: "fail",
      interface: "eth0",
      message: expect.stringContaining("between eth0 and 10.0.0.3"),
    });
  });

  test("is not dropped where a neighbour has no answer but to the question for its own name", async () => {
    known = ["10.0.0.3"];
    answering = ["10.0.0.3"];
    segment.listen(({ type, questions = [] }) => {
      if (type === "query" && questions.some(({ name }) => name === "3.0.0.10.in-addr.arpa"))
        segment.inject({ type: "response", answers: [] }, "10.0.0.3");
    });
    expect(last(await examine())?.code).toBe("mdns/multicast-heard");
  });

  test("may be dropped where neighbours are silent", async () => {
    known = ["10.0.0.2"];
    expect(last(await examine())).toMatchObject({
      code: "mdns/multicast-silent",
      message: expect.stringContaining("neighbours are known there (10.0.0.2)"),
    });
  });

  test("that does not come back is this machine's own doing, whoever else is there", async () => {
    known = ["10.0.0.2"];
    answering = ["10.0.0.2"];
    segment.loses = () => true;
    const found = await examine();
    expect(last(found)).toMatchObject({
      code: "mdns/multicast-not-returned",
      fix: expect.stringContaining("firewall-cmd"),
    });
    expect(asked).toEqual([]);
  });
});

describe("port 5353", () => {
  test("may be shared with somebody whom the system does not tell", async () => {
    holders = null;
    expect(codes(await examine())).toContain("mdns/port-free");
    segment.exclusive = false;
    expect(await examine()).toContainEqual(
      expect.objectContaining({
        code: "mdns/port-shared",
        message: expect.stringContaining("with another program"),
      }),
    );
  });

  test("is free over a family that nobody else has it over", async () => {
    holders = [{ ...avahi, families: ["IPv6"] }];
    expect(codes(await examine())).toContain("mdns/port-free");
  });

  test("may be shared, with somebody who is named", async () => {
    holders = [avahi];
    expect(await examine()).toContainEqual(
      expect.objectContaining({
        code: "mdns/port-shared",
        message: expect.stringContaining("avahi-daemon (pid 42)"),
      }),
    );
  });

  test.each([
    [[avahi], /held by avahi-daemon \(pid 42\)/, /^end it, or have it share the port$/],
    [
      [{ ...avahi, pid: null, program: null }],
      /held by a process of user 107 that this user may not look into/,
      /as root.*ss -lunp 'sport = :5353'$/,
    ],
    [null, /held by another program/, /lsof -nP -iUDP:5353 \(macOS\), netstat -ano -p UDP \(Windows\)$/],
  ])("may be taken: %j", async (others, message, fix) => {
    holders = others;
    expect(last(await examine(refusing("EADDRINUSE")))).toMatchObject({
      code: "mdns/port-taken",
      interface: "eth0",
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
  });

  test.each([
    ["EACCES", "mdns/port-denied"],
    ["EADDRNOTAVAIL", "mdns/interface-hampered"],
  ])("may be refused: %s", async (system, code) => {
    const found = await examine(refusing(system));
    expect(last(found)).toMatchObject({ code, message: expect.stringContaining(system) });
  });

  test("is found in the kernel's table", () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  174: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   107        0 12345 2 0000000000000000 0
  175: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12346 2 0000000000000000 0
`;
    expect(parseUdpTable(table, "IPv4", 5353)).toEqual([{ family: "IPv4", uid: 107, inode: "12345" }]);
    expect(parseUdpTable("", "IPv6", 5353)).toEqual([]);
  });
});

describe("interfaces", () => {
  const info = (address: string, internal = false) => ({
    address,
    internal,
    cidr: `${address}/24`,
    netmask: "255.255.255.0",
    family: "IPv4" as const,
    mac: "02:00:00:00:00:01",
  });
  const all = listInterfaces(
    systemOf({ lo: [info("127.0.0.1", true)], eth0: [info("10.0.0.1")], docker0: [info("172.17.0.1")] }),
  );

  test.each([
    [undefined, ["eth0"], { lo: "this machine itself", docker0: "own containers" }],
    [["docker0"], ["docker0"], { lo: "not named", eth0: "not named" }],
  ])("that are left out have a reason: wanted %j", (wanted, used, reasons) => {
    const choice = chooseInterfaces(all, wanted);
    expect(choice.used.map(({ name }) => name)).toEqual(used);
    expect(Object.fromEntries(choice.leftOut.map(({ name, reason }) => [name, reason]))).toEqual(
      Object.fromEntries(
        Object.entries(reasons).map(([name, reason]) => [name, expect.stringContaining(reason)]),
      ),
    );
  });

  test("none but loopback is a failure first of all, unless it was named", async () => {
    const machine = segment.machine("127.0.0.1", { name: "lo" });
    const [first, ...others] = await examine(machine);
    expect(first).toMatchObject({
      code: "NO_USABLE_INTERFACE",
      verdict: "fail",
      message: "this machine has no network interface but lo: other machines neither find it nor are found",
    });
    expect(codes(others)).toContain("INTERFACE_USED");
    expect(codes(await examine(machine, ["lo"]))).not.toContain("NO_USABLE_INTERFACE");
  });

  test("none at all is a failure, and nothing is opened", async () => {
    const found = await examine({ ...refusing("EACCES"), system: () => systemOf({}) });
    expect(codes(found)).toEqual(["NO_USABLE_INTERFACE"]);
  });
});
