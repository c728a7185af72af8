import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { expect } from "vitest";
import { Segment, transitMs } from "../segment.ts";
import { VirtualHost } from "./host.ts";
import { faultsOf } from "./lawful.ts";
import { VirtualPeer } from "./peer.ts";
import { Playback } from "./playback.ts";

export const serviceType = "_lmserv._tcp.local";

/** A virtual link with the host under test and a peer, both in virtual time. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly segment: Segment;
  readonly playback: Playback;
  /** Random numbers, the same in every run. */
  readonly random: () => number;
  readonly host: VirtualHost;
  readonly peer: VirtualPeer;
  /** Spare host. */
  readonly third: VirtualHost;
  readonly nowMs: () => number;
  readonly until: (atMs: number) => Promise<void>;
  readonly pass: (ms: number) => Promise<void>;
  /** Running sessions in the order of their start; ended with the stage. */
  readonly running: AsyncDisposable[];
}

/** Link without sessions; the host has port 5353 to itself. */
function openStage(seed = 1): Stage {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  segment.exclusive = true;
  const playback = new Playback(clock);
  const host = new VirtualHost(segment, "10.77.0.1", "fe80::1");
  return {
    clock,
    segment,
    playback,
    random: seededRandom(seed),
    host,
    peer: peerOn({ segment, playback }, new VirtualHost(segment, "10.77.0.2", "fe80::2")),
    third: new VirtualHost(segment, "10.77.0.3", "fe80::3"),
    nowMs: () => playback.nowMs(),
    until: (atMs) => playback.until(atMs),
    pass: (ms) => playback.until(playback.nowMs() + ms),
    running: [],
  };
}

export function peerOn(
  { segment, playback }: Pick<Stage, "segment" | "playback">,
  host: VirtualHost,
): VirtualPeer {
  return new VirtualPeer(host, segment, playback);
}

/** Ends all sessions, and lets the last packets arrive. */
async function closeStage({ running, playback }: Stage): Promise<void> {
  const ended = running.map((one) => one[Symbol.asyncDispose]());
  await playback.settled(Promise.all(ended), "the end of what runs");
  await playback.until(playback.nowMs() + transitMs);
}

/**
 * Body of a test: sets the stage, plays, ends the sessions, and checks every packet of the host under test.
 *
 * Neither a timer nor a browse may be left.
 */
export function staged(play: (stage: Stage) => Promise<void>, seed?: number): () => Promise<void> {
  return async () => {
    const stage = openStage(seed);
    try {
      await play(stage);
    } finally {
      await closeStage(stage);
    }
    expect(faultsOf(stage.peer, stage.host)).toEqual([]);
    expect(stage.clock.pending).toBe(0);
  };
}
