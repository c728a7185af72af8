import { type Check, silentLog } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { type ArpOptions, arpOn } from "../src/transport.ts";
import { info } from "./lan.ts";
import { VirtualLan } from "./virtual-lan.ts";

let lan: VirtualLan;
let clock: VirtualClock;
const never = new AbortController().signal;

beforeEach(() => {
  clock = new VirtualClock();
  lan = new VirtualLan(clock);
  lan.interfaces = { eth0: [info("10.0.0.1/24")] };
});

async function examine(options: ArpOptions = {}): Promise<readonly Check[]> {
  const found: Check[] = [];
  const context = { clock, random: () => 0.5, log: silentLog, neighbors: async () => [] };
  const { diagnose } = arpOn(lan.machine(), options);
  for await (const one of diagnose?.(context, { signal: never }) ?? []) found.push(one);
  return found;
}

const codes = (checks: readonly Check[]): readonly string[] => checks.map(({ code }) => code);

describe("a healthy machine", () => {
  it("is found to be so, with the means and the room", async () => {
    lan.add("10.0.0.2");
    const found = await examine();
    expect(found).toMatchObject([
      {
        code: "INTERFACE_USED",
        interface: "eth0",
        transport: "arp",
        message: "neighbours on eth0 are asked; a sweep asks 253 addresses of 10.0.0.0/24",
      },
      { code: "arp/neighbors-read", message: expect.stringMatching(/: 1 \(read by the virtual table\)$/) },
      {
        code: "arp/neighbor-room",
        message: expect.stringMatching(/holds 1 .*learns 1024 at most.*room for 479$/),
      },
    ]);
  });

  it("has no interface left out without a reason", async () => {
    lan.interfaces = {
      eth0: [info("10.0.0.1/16")],
      docker0: [info("172.17.0.1/24")],
      tun0: [info("10.9.0.1/24")],
    };
    const found = await examine();
    expect(found.filter(({ code }) => code === "INTERFACE_LEFT_OUT").map((one) => one.interface)).toEqual([
      "docker0",
      "tun0",
    ]);
    expect(found).toContainEqual(
      expect.objectContaining({ code: "arp/sweep-incomplete", verdict: "warn", interface: "eth0" }),
    );
  });
});

describe("the kernel's table", () => {
  const limits = { softLimit: 512, hardLimit: 1_024, clearings: 0 };

  it.each([
    [480, 0, "arp/neighbor-room"],
    [481, 0, "arp/neighbor-room-scarce"],
    [1_007, 3, "arp/neighbor-room-scarce"],
    [2_900, 0, "arp/neighbor-room-scarce"],
    [1_008, 3, "arp/neighbor-table-full"],
    [1_024, 77, "arp/neighbor-table-full"],
  ])("with %i entries and %i refusals: %s", async (entries, refusals, code) => {
    lan.load = { ...limits, entries, refusals };
    const found = await examine();
    expect(found.at(-1)?.code).toBe(code);
    if (refusals > 0) expect(found.at(-1)?.message).toContain(`${refusals} were refused`);
  });

  it("is fixed by a command that fits the present limits", async () => {
    lan.load = { ...limits, hardLimit: 4_096, entries: 4_096, refusals: 1 };
    expect((await examine()).at(-1)?.fix).toMatch(
      /gc_thresh1=4096 net\.\S+gc_thresh2=8192 net\.\S+gc_thresh3=16384$/,
    );
  });

  it("may be unknown", async () => {
    lan.load = null;
    expect((await examine()).at(-1)).toMatchObject({ code: "arp/neighbor-room-unknown", verdict: "skip" });
  });

  it("may be closed to this process", async () => {
    lan.failure = new Error("EACCES: permission denied");
    expect(await examine()).toContainEqual(
      expect.objectContaining({
        code: "arp/neighbors-unreadable",
        verdict: "fail",
        message: expect.stringContaining("EACCES: permission denied"),
      }),
    );
  });
});

it("a machine without a LAN is told so", async () => {
  lan.interfaces = { tun0: [info("10.9.0.1/24")] };
  expect(codes(await examine())).toContain("NO_USABLE_INTERFACE");
});

describe("the hosts nearby", () => {
  it("are those that the table knows, without the machine's own and what is elsewhere", async () => {
    lan.add("10.0.0.2");
    lan.add("10.0.0.3", { known: false });
    lan.add("192.0.2.7");
    expect(await arpOn(lan.machine()).neighbors(clock, never)).toEqual(["10.0.0.2"]);
  });

  it("are all that are there, after a sweep", async () => {
    lan.add("10.0.0.2");
    lan.add("10.0.0.3", { known: false });
    const found = arpOn(lan.machine(), { sweep: true, pace: "prompt" }).neighbors(clock, never);
    await clock.advance(10_000);
    expect([...(await found)].sort()).toEqual(["10.0.0.2", "10.0.0.3"]);
  });

  it("are none where the table cannot be read", async () => {
    lan.failure = new Error("EACCES");
    expect(await arpOn(lan.machine()).neighbors(clock, never)).toEqual([]);
  });
});
