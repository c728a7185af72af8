import { VirtualClock } from "@lmserv/discovery-testkit";
import { conformance } from "@lmserv/test-net/conformance";
import { fakeService, query, response } from "@lmserv/test-net/raw-peer";
import { expect } from "vitest";
import { collect, openStation, Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";
const own = "10.0.0.1";
const peer = "10.0.0.2";
const never = new AbortController();
const hourMs = 3_600_000;
const box = fakeService(type, { label: "Box", address: peer });

/** A segment in virtual time with one station of ours. */
async function stage(): Promise<{ clock: VirtualClock; segment: Segment; session: Session }> {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  const { session } = await openStation(segment.machine(own), clock);
  return { clock, segment, session };
}

type Session = Awaited<ReturnType<typeof openStation>>["session"];

/** When our host asked for records of that type. */
const timesOf = (segment: Segment, asked: string): number[] =>
  segment.heard
    .filter(({ packet, from }) => packet.type === "query" && from.address === own)
    .filter(({ packet }) => packet.questions?.some((question) => question.type === asked))
    .map(({ atMs }) => atMs);

/** The peer answers every question for SRV or TXT, as a host that lives does. */
function keepAnswering(segment: Segment, clock: VirtualClock): void {
  segment.loses = ({ packet, from }) => {
    const asked = packet.questions?.map((question) => question.type) ?? [];
    const answers = [
      ...(asked.includes("SRV") ? [box.srv] : []),
      ...(asked.includes("TXT") ? [box.txt] : []),
    ];
    if (from.address === own && answers.length > 0) {
      clock.schedule(1, () => segment.inject(response({ answers, additionals: [box.a] }), peer));
    }
    return false;
  };
}

conformance("In hours", (requirement) => {
  requirement(
    40,
    "falls silent after its announcements: nothing for four hours",
    { apple: ["III.4"], mirrors: ["NetX Duo netx_mdns_announcement_repeat"] },
    async () => {
      const { clock, segment, session } = await stage();
      await session.announce?.({ id: "box", info: "box", port: 8000 }, never);
      await clock.advance(1_024_000);
      const announced = segment.heard.length;
      expect(announced).toBe(4);
      await clock.advance(4 * hourMs);
      expect(segment.heard).toHaveLength(announced);
    },
  );

  requirement(
    14,
    "asks at intervals that double up to 60 minutes, and stay there",
    {
      mirrors: ["NetX Duo mdns_continuous_query_interval", "python-zeroconf test_backoff"],
    },
    async () => {
      const { clock, segment, session } = await stage();
      collect(session, clock);
      await clock.advance(5 * hourMs);
      const times = timesOf(segment, "PTR");
      const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
      const doubling = Array.from({ length: 12 }, (_, index) => 1_000 * 2 ** index);
      expect(gaps.slice(0, 12)).toEqual(doubling);
      expect(gaps.slice(12)).toEqual(gaps.slice(12).map(() => hourMs));
      expect(gaps.length).toBeGreaterThan(14);
    },
  );

  requirement(
    21,
    "keeps a node that answers for three hours, past the lives of its PTR and TXT records, and refreshes TXT in time",
    { mirrors: ["NetX Duo mdns_query_rr_timeout", "OpenThread TestTxtResolver"] },
    async () => {
      const { clock, segment, session } = await stage();
      const { seen } = collect(session, clock);
      await clock.advance(10);
      segment.inject(box.announcement(), peer);
      keepAnswering(segment, clock);
      await clock.advance(3 * hourMs);
      expect(seen.filter(({ kind }) => kind === "gone")).toEqual([]);
      const alive = seen.filter(({ kind }) => kind === "alive").map(({ atMs }) => atMs);
      const gaps = alive.slice(1).map((atMs, index) => atMs - (alive[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThan(60_000);
      const [firstTxt = 0] = timesOf(segment, "TXT");
      expect(firstTxt).toBeGreaterThan(0.75 * 4_500_000);
      expect(firstTxt).toBeLessThan(4_500_000);
    },
  );

  requirement(
    21,
    "asks for nothing any more when nobody browses",
    { mirrors: ["OpenThread TestBrowser", "NetX Duo mdns_query_start_stop"] },
    async () => {
      const { clock, segment, session } = await stage();
      const { stop } = collect(session, clock);
      await clock.advance(10);
      segment.inject(box.announcement(), peer);
      await clock.advance(30_000);
      stop();
      await clock.advance(10);
      segment.heard.length = 0;
      await clock.advance(3 * hourMs);
      expect(segment.heard).toEqual([]);
    },
  );

  requirement(
    29,
    "answers a QU question by unicast only for a quarter of the record's life after it was multicast",
    { mirrors: ["python-zeroconf test_qu_response", "matter.js MdnsServerTest"] },
    async () => {
      const { clock, segment, session } = await stage();
      const announcing = session.announce?.({ id: "box", info: "box", port: 8000, name: "Box" }, never);
      await clock.advance(9_000);
      await announcing;
      const lastMs = segment.heard.at(-1)?.atMs ?? 0;
      const ask = async (asked: "SRV" | "PTR", afterMs: number): Promise<string[]> => {
        await clock.advance(Math.max(0, lastMs + afterMs - clock.now()));
        segment.heard.length = 0;
        const name = asked === "SRV" ? `Box.${type}` : type;
        segment.inject(query({ questions: [{ name, type: asked, unicast: true }] }), peer);
        await clock.advance(200);
        return segment.heard.filter(({ from }) => from.address === own).map(({ to }) => to.address);
      };
      expect(await ask("SRV", 29_000)).toEqual([peer]);
      expect(await ask("PTR", 1_100_000)).toEqual([peer]);
    },
  );

  requirement(
    29,
    "answers a QU question both ways when the link has not heard the record for a quarter of its life",
    {
      mirrors: ["python-zeroconf test_qu_response"],
      deviates:
        "RFC 6762 answers by multicast instead: the asker wants to know now, and a shared answer waits up to 120 ms for the link",
    },
    async () => {
      const { clock, segment, session } = await stage();
      const announcing = session.announce?.({ id: "box", info: "box", port: 8000, name: "Box" }, never);
      await clock.advance(1_200_000);
      await announcing;
      for (const [name, asked] of [
        [`Box.${type}`, "SRV"],
        [type, "PTR"],
      ] as const) {
        segment.heard.length = 0;
        segment.inject(query({ questions: [{ name, type: asked, unicast: true }] }), peer);
        await clock.advance(200);
        const answers = segment.heard.filter(({ from }) => from.address === own).map(({ to }) => to.address);
        expect(answers.sort()).toEqual([peer, "224.0.0.251"].sort());
      }
    },
  );
});
