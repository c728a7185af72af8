import { VirtualClock } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { Segment } from "../segment.ts";
import { announceOn, hostOn, watchOn } from "./virtual-host.ts";

test.each([10_000, 60_000, 200_000])(
  "a node behind a path that fails for %i ms is gone when it is doubted, and back soon after",
  async (holeMs) => {
    const clock = new VirtualClock();
    const segment = new Segment(clock);
    let isWhole = true;
    const there = hostOn(segment, clock, "10.0.0.2", () => isWhole);
    const watcher = await watchOn(
      hostOn(segment, clock, "10.0.0.1", () => isWhole),
      { seed: 1 },
    );
    await announceOn(there, "node", 2);
    // Without a short interval, the question for the list would be due at 1,023 s.
    await clock.advance(520_000);
    const [node] = watcher.discovery.registry.listAlive();
    expect(node?.info).toBe("node");

    isWhole = false;
    await watcher.discovery.reconfirm(node?.id ?? "");
    await clock.advance(holeMs);
    expect(watcher.changes.at(-1)).toMatchObject({ kind: "down", reason: "unreachable" });
    isWhole = true;
    // No host noticed the gap and none announces: the watcher's questions bring the node back.
    await clock.advance(holeMs + 5_000);
    expect(watcher.infos()).toEqual(["node"]);
  },
);
