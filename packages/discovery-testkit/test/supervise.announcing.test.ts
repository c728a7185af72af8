import { DiscoveryError } from "@lmserv/discovery-core";
import { type Registration, supervise, type Transport } from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { Bench, gpuBox, never } from "./bench.ts";

let bench: Bench;
let transport: Transport;
/** Count of attempts to open the transport. */
let openings: number;

beforeEach(() => {
  bench = new Bench();
  openings = 0;
  const inner = memory({ network: bench.left });
  transport = {
    name: inner.name,
    open(context, options) {
      openings += 1;
      return inner.open(context, options);
    },
  };
});

/** Another host on the same network, which ends with it. */
const neighbor = async () => bench.watch(await bench.open(memory({ network: bench.left })));

describe("a transport that dies", () => {
  test("has what it announced announced again", async () => {
    const session = await bench.open(supervise(transport));
    const handle = await session.announce?.(gpuBox, { signal: never });
    bench.left.fail();
    bench.left.restore();
    const watch = await neighbor();
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(true);
    await handle?.[Symbol.asyncDispose]();
    await bench.clock.advance(0);
    expect(watch.lost(gpuBox, "goodbye")).toBe(true);
  });

  test("is opened once more where that did not bring its announcements back", async () => {
    let failures = 1;
    const frail: Transport = {
      name: transport.name,
      async open(...args) {
        const session = await transport.open(...args);
        const isAgain = openings > 1;
        const announce: typeof session.announce = async (...args) => {
          if (isAgain && failures-- > 0)
            throw new DiscoveryError("TRANSPORT_FAILED", "away", { via: "memory" });
          return (session.announce ?? (() => Promise.reject()))(...args);
        };
        return { ...session, announce };
      },
    };
    const session = await bench.open(supervise(frail));
    await session.announce?.(gpuBox, { signal: never });
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(0);
    const watch = await neighbor();
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(false);
    await bench.clock.advance(250);
    expect(watch.sees(gpuBox)).toBe(true);
  });

  test("says on its return what changed meanwhile", async () => {
    const session = await bench.open(supervise(transport));
    const handle = await session.announce?.(gpuBox, { signal: never });
    bench.left.fail();
    await handle?.update({ ...gpuBox, info: "changed" }, { signal: never });
    bench.left.restore();
    const watch = await neighbor();
    await bench.clock.advance(1_000);
    expect(watch.reportsOf(gpuBox).at(-1)?.node.info).toBe("changed");
  });

  test("says on its return what it could not say any more", async () => {
    let failures = 1;
    const frail: Transport = {
      name: transport.name,
      async open(...args) {
        const session = await transport.open(...args);
        const announce: typeof session.announce = async (...args) => {
          const registration = await session.announce?.(...args);
          const update = async (...args: Parameters<Registration["update"]>) => {
            if (failures-- > 0) throw new DiscoveryError("TRANSPORT_FAILED", "away", { via: "memory" });
            await registration?.update(...args);
          };
          return { update, [Symbol.asyncDispose]: async () => registration?.[Symbol.asyncDispose]() };
        };
        return { ...session, announce };
      },
    };
    const session = await bench.open(supervise(frail));
    const handle = await session.announce?.(gpuBox, { signal: never });
    await handle?.update({ ...gpuBox, info: "changed" }, { signal: never });
    const watch = await neighbor();
    await bench.clock.advance(1_000);
    expect(watch.reportsOf(gpuBox).at(-1)?.node.info).toBe("changed");
    expect(bench.told).toEqual(["TRANSPORT_FAILED memory"]);
  });

  test("does not announce again what was withdrawn meanwhile", async () => {
    const session = await bench.open(supervise(transport));
    const handle = await session.announce?.(gpuBox, { signal: never });
    bench.left.fail();
    await handle?.[Symbol.asyncDispose]();
    bench.left.restore();
    const watch = await neighbor();
    await bench.clock.advance(1_000);
    expect(openings).toBeGreaterThan(1);
    expect(watch.sees(gpuBox)).toBe(false);
  });
});
