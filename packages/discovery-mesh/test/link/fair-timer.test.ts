import { once } from "node:events";
import { connect, createServer } from "node:net";
import { systemClock } from "@lmserv/discovery-core/transport";
import { describe, expect, it } from "vitest";
import { scheduleFairly } from "../../src/link/fair-timer.ts";

/** Nothing else of this process runs meanwhile. */
function stall(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

describe("a fair timer", () => {
  it("calls back after what came in during a stall was read", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
    const near = connect({ host: "127.0.0.1", port: address.port });
    const [far] = await once(server, "connection");
    let heard = false;
    far.on("data", () => {
      heard = true;
    });
    near.write("x");
    const verdict = new Promise((resolve) => scheduleFairly(systemClock, 200, () => resolve(heard)));
    stall(215);
    expect(heard).toBe(false);
    expect(await verdict).toBe(true);
    near.destroy();
    far.destroy();
    server.close();
  });

  it("waits again when it was late", async () => {
    const startMs = performance.now();
    const called = new Promise((resolve) =>
      scheduleFairly(systemClock, 100, () => resolve(performance.now() - startMs)),
    );
    stall(300);
    expect(await called).toBeGreaterThanOrEqual(400);
  });

  it("can be cancelled at every stage", async () => {
    let calls = 0;
    const call = (): void => {
      calls += 1;
    };
    scheduleFairly(systemClock, 20, call)();
    const late = scheduleFairly(systemClock, 20, call);
    stall(60);
    await new Promise(setImmediate);
    late();
    await new Promise((resolve) => scheduleFairly(systemClock, 60, () => resolve(null)));
    expect(calls).toBe(0);
  });
});
