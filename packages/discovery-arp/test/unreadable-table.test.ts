import { supervise } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { arpOn } from "../src/transport.ts";
import { browseOn } from "./browse.ts";
import { identification, VirtualLan } from "./virtual-lan.ts";

let clock: VirtualClock;
let lan: VirtualLan;

beforeEach(() => {
  clock = new VirtualClock();
  lan = new VirtualLan(clock);
});

describe("a table that cannot be read", () => {
  it("keeps the transport from opening, with the reason", async () => {
    lan.failure = new Error("sandboxed");
    await expect(browseOn(lan, clock)).rejects.toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      cause: { errors: [lan.failure] },
    });
  });

  it("ends a browse that is under way", async () => {
    const { state } = await browseOn(lan, clock);
    await clock.advance(100);
    lan.failure = new Error("sandboxed");
    await clock.advance(10_000);
    expect(state.error).toMatchObject({ code: "TRANSPORT_FAILED" });
    expect(clock.pending).toBe(0);
  });

  it("is opened again as soon as it can be read, and what is there is reported anew", async () => {
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000));
    const transport = supervise(arpOn(lan.machine(), { ports: [8_000] }));
    const session = await transport.open(lan.context(), new AbortController());
    const kinds: string[] = [];
    void (async () => {
      for await (const { kind } of session.browse({ ttlMs: 60_000 }, new AbortController())) kinds.push(kind);
    })();
    await clock.advance(2_000);
    expect(kinds).toEqual(["alive", "settled"]);
    lan.failure = new Error("sandboxed");
    await clock.advance(60_000);
    expect(kinds.at(-1)).toBe("lost");
    lan.failure = null;
    await clock.advance(10_000);
    expect(kinds.slice(kinds.indexOf("lost"))).toEqual(["lost", "recovered", "alive", "settled"]);
    await session[Symbol.asyncDispose]();
  });

  it("once is read again, and ends nothing", async () => {
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000));
    const { state, of } = await browseOn(lan, clock);
    await clock.advance(100);
    for (let times = 0; times < 10; times += 1) {
      // One failed read; the next one succeeds.
      lan.failures = 1;
      await clock.advance(20_000);
      expect(lan.failures).toBe(0);
    }
    expect(state.error).toBeNull();
    expect(of("gone")).toEqual([]);
  });
});
