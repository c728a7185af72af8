import { conformance } from "@lmserv/test-netlab/conformance";
import { fakeService, type Heard, query, response } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { announce, multicasts } from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { browsing } from "../virtual/subject.ts";

const hourMs = 3_600_000;
const box = fakeService(serviceType, { label: "Box", address: "10.77.0.2" });

const questionsFor = ({ peer, host }: Stage, type: string): readonly Heard[] =>
  peer
    .heard(host.address)
    .filter(({ message }) => !message.response && message.questions.some((asked) => asked.type === type));

/** The peer answers every question for SRV or TXT, as a live host does. */
function keepAnswering({ segment, clock, peer, host }: Stage): void {
  segment.loses = ({ packet, from }) => {
    const asked = packet.questions?.map((question) => question.type) ?? [];
    const answers = [
      ...(asked.includes("SRV") ? [box.srv] : []),
      ...(asked.includes("TXT") ? [box.txt] : []),
    ];
    if (from.address === host.address && answers.length > 0) {
      clock.schedule(1, () => peer.send(response({ answers, additionals: [box.a] })));
    }
    return false;
  };
}

/**
 * Announces until the host falls silent; `ask` sends a QU question and resolves with the answers'
 * destinations.
 */
async function quiet(stage: Stage): Promise<{
  readonly lastMs: number;
  readonly ask: (type: "SRV" | "PTR", atMs: number) => Promise<string[]>;
}> {
  const { instance } = await announce(stage);
  await stage.until(9_000);
  const { peer, host } = stage;
  return {
    lastMs: peer.heard(host.address).at(-1)?.tMs ?? 0,
    async ask(type, atMs) {
      await stage.until(atMs);
      const name = type === "SRV" ? instance : serviceType;
      const askedMs = await peer.send(query({ questions: [{ name, type, unicast: true }] }));
      await stage.until(askedMs + 200);
      return peer.heard(host.address, askedMs).map(({ dst }) => dst);
    },
  };
}

conformance("In hours", (requirement) => {
  requirement(
    40,
    "falls silent after its announcements: nothing for four hours",
    { apple: ["III.4"], mirrors: ["NetX Duo netx_mdns_announcement_repeat"] },
    staged(async (stage) => {
      await announce(stage);
      await stage.until(1_024_000);
      const announced = multicasts(stage.peer, stage.host).length;
      expect(announced).toBe(4);
      await stage.until(4 * hourMs);
      expect(multicasts(stage.peer, stage.host)).toHaveLength(announced);
    }),
  );

  requirement(
    14,
    "asks at intervals that double up to 60 minutes, and stay there",
    {
      mirrors: ["NetX Duo mdns_continuous_query_interval", "python-zeroconf test_backoff"],
    },
    staged(async (stage) => {
      await browsing(stage);
      await stage.until(10 * hourMs);
      const { peer, host } = stage;
      // Both families are used while the intervals are short, then each in turn.
      const packets = [...questionsFor(stage, "PTR"), ...peer.heard(host.linkLocal)];
      const times = [...new Set(packets.map(({ tMs }) => tMs))].sort((a, b) => a - b);
      const gaps = times.slice(1).map((tMs, index) => tMs - (times[index] ?? 0));
      const doubling = Array.from({ length: 12 }, (_, index) => 1_000 * 2 ** index);
      expect(gaps.slice(0, 12)).toEqual(doubling);
      expect(gaps.slice(12)).toEqual(gaps.slice(12).map(() => hourMs));
      expect(gaps.length).toBeGreaterThan(14);
    }),
  );

  requirement(
    21,
    "keeps a node that answers for three hours, past the lives of its PTR and TXT records, and asks for TXT whenever it asks for SRV",
    { mirrors: ["NetX Duo mdns_query_rr_timeout", "OpenThread TestTxtResolver"] },
    staged(async (stage) => {
      const seen = await browsing(stage);
      await stage.peer.send(box.announcement());
      keepAnswering(stage);
      const alive: number[] = [];
      for (let count = 0; stage.nowMs() < 3 * hourMs; count = seen.observations().length) {
        const { kind } = await seen.observation(() => true, { from: count });
        expect(kind).toBe("alive");
        alive.push(stage.nowMs());
      }
      const gaps = alive.slice(1).map((atMs, index) => atMs - (alive[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThan(60_000);
      const [srv, txt] = ["SRV", "TXT"].map((type) => questionsFor(stage, type).map(({ tMs }) => tMs));
      expect(srv?.length).toBeGreaterThan(180);
      expect(txt).toEqual(srv);
    }),
  );

  requirement(
    21,
    "asks for nothing any more when nobody browses",
    { mirrors: ["OpenThread TestBrowser", "NetX Duo mdns_query_start_stop"] },
    staged(async (stage) => {
      const seen = await browsing(stage);
      await stage.peer.send(box.announcement());
      await stage.until(30_000);
      seen.stop();
      const heard = (): number => stage.segment.heard.length;
      const before = heard();
      await stage.until(3 * hourMs);
      expect(heard()).toBe(before);
    }),
  );

  requirement(
    29,
    "answers a QU question by unicast only for a quarter of the record's life after it was multicast",
    { mirrors: ["python-zeroconf test_qu_response", "matter.js MdnsServerTest"] },
    staged(async (stage) => {
      const { lastMs, ask } = await quiet(stage);
      expect(await ask("SRV", lastMs + 29_000)).toEqual([stage.peer.host.address]);
      expect(await ask("PTR", lastMs + 1_100_000)).toEqual([stage.peer.host.address]);
    }),
  );

  requirement(
    29,
    "answers a QU question both ways when the link has not heard the record for a quarter of its life",
    {
      mirrors: ["python-zeroconf test_qu_response"],
      deviates:
        "RFC 6762 answers by multicast instead: the asker wants to know now, and a shared answer waits up to 120 ms for the link",
    },
    staged(async (stage) => {
      const { lastMs, ask } = await quiet(stage);
      const both = ["224.0.0.251", stage.peer.host.address];
      expect((await ask("SRV", lastMs + 30_001)).sort()).toEqual(both.sort());
      expect((await ask("PTR", lastMs + 1_200_000)).sort()).toEqual(both.sort());
    }),
  );
});
