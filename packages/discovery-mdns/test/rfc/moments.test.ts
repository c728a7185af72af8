import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { conformance } from "@lmserv/test-net/conformance";
import { fakeService, headerBits, query, response } from "@lmserv/test-net/raw-peer";
import { expect } from "vitest";
import { collect, type Heard, openStation, Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";
const own = "10.0.0.1";
const peer = "10.0.0.2";
const never = new AbortController();
const box = fakeService(type, { label: "Box", address: peer });

type Session = Awaited<ReturnType<typeof openStation>>["session"];

interface Stage {
  readonly clock: VirtualClock;
  readonly segment: Segment;
  readonly session: Session;
  readonly machine: ReturnType<Segment["machine"]>;
  readonly reports: readonly { readonly code: string }[];
}

/** A segment in virtual time with one station of ours. */
async function stage(seed = 1): Promise<Stage> {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  const machine = segment.machine(own);
  const { session, reports } = await openStation(machine, clock, seededRandom(seed));
  return { clock, segment, session, machine, reports };
}

const queriesOf = ({ heard }: Segment): Heard[] =>
  heard.filter(({ packet, from }) => packet.type === "query" && from.address === own);
const asksFor = (asked: string): ((heard: Heard) => boolean) => {
  return ({ packet }) => packet.questions?.some((question) => question.type === asked) ?? false;
};
const isProbe = ({ packet }: Heard): boolean => (packet.authorities?.length ?? 0) > 0;
const isAnnouncement = ({ packet, from }: Heard): boolean =>
  packet.type === "response" && from.address === own;

/** How even a sample of [0, 1) is spread: its four quarters' shares. */
function quarters(shares: readonly number[]): number[] {
  return [0, 1, 2, 3].map(
    (quarter) => shares.filter((share) => Math.floor(share * 4) === quarter).length / shares.length,
  );
}

conformance("In moments", (requirement) => {
  requirement(
    13,
    "asks at once for a caller",
    {
      deviates:
        "somebody waits for the answer, and callers do not start together; where hosts do, as when a link comes up, the question waits",
    },
    async () => {
      const { clock, segment, session } = await stage();
      collect(session, clock);
      await clock.advance(1);
      expect(queriesOf(segment).map(({ atMs }) => atMs)).toEqual([0]);
    },
  );

  requirement(
    13,
    "waits 20 to 120 ms, evenly spread, before it asks on a link that came up",
    { mirrors: ["python-zeroconf test_first_query_delay"] },
    async (note) => {
      const delays: number[] = [];
      for (let seed = 1; seed <= 120; seed += 1) {
        const { clock, segment, session, machine } = await stage(seed);
        const { interfaces } = machine;
        machine.interfaces = () => ({});
        collect(session, clock);
        await clock.advance(4_000);
        machine.interfaces = interfaces;
        segment.heard.length = 0;
        await clock.advance(3_000);
        // Interfaces are looked at every 3 s.
        delays.push((queriesOf(segment)[0]?.atMs ?? 0) - 6_000);
      }
      note(
        `${delays.length} first questions after ${Math.min(...delays).toFixed(1)} to ${Math.max(...delays).toFixed(1)} ms`,
      );
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(20);
      expect(Math.max(...delays)).toBeLessThanOrEqual(120);
      const shares = quarters(delays.map((delayMs) => (delayMs - 20) / 100));
      for (const share of shares) expect(share).toBeGreaterThan(0.1);
    },
  );

  requirement(14, "does not ask more often because more callers do", {}, async () => {
    const { clock, segment, session } = await stage();
    for (let caller = 0; caller < 10; caller += 1) {
      collect(session, clock);
      await clock.advance(90);
    }
    const times = queriesOf(segment)
      .filter(asksFor("PTR"))
      .map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.min(1_000, ...gaps)).toBeGreaterThanOrEqual(1_000);
  });

  requirement(14, "asks for one instance no earlier because another is asked for", {}, async () => {
    const { clock, segment, session } = await stage();
    collect(session, clock);
    await clock.advance(10);
    const other = fakeService(type, { label: "Other", address: peer });
    segment.inject(response({ answers: [box.ptr] }), peer);
    await clock.advance(800);
    segment.inject(response({ answers: [other.ptr] }), peer);
    await clock.advance(5_000);
    const times = queriesOf(segment)
      .filter(({ packet }) => packet.questions?.some(({ name }) => name === box.instance))
      .map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(gaps[0]).toBeGreaterThanOrEqual(1_000);
    expect(gaps[1]).toBeGreaterThanOrEqual(2_000);
  });

  requirement(
    36,
    "waits 0 to 250 ms, evenly spread, before its first probe; the others follow after 250 ms each",
    { apple: ["II.1"], mirrors: ["OpenThread TestHostReg"] },
    async (note) => {
      const delays: number[] = [];
      for (let seed = 1; seed <= 120; seed += 1) {
        const { clock, segment, session } = await stage(seed);
        const announcing = session.announce?.({ id: "a", info: "a", port: 1, name: "Chosen" }, never);
        await clock.advance(1_100);
        await announcing;
        const [first = 0, ...others] = segment.heard.filter(isProbe).map(({ atMs }) => atMs);
        expect(others.map((atMs) => atMs - first)).toEqual([250, 500]);
        expect((segment.heard.find(isAnnouncement)?.atMs ?? 0) - first).toBe(750);
        delays.push(first);
      }
      note(
        `${delays.length} first probes after ${Math.min(...delays).toFixed(1)} to ${Math.max(...delays).toFixed(1)} ms`,
      );
      expect(Math.max(...delays)).toBeLessThanOrEqual(250);
      for (const share of quarters(delays.map((delayMs) => delayMs / 250)))
        expect(share).toBeGreaterThan(0.1);
    },
  );

  requirement(
    36,
    "takes no notice of contradictions and probes that come before its first probe",
    { mirrors: ["NetX Duo mdns_probing_conflict"] },
    async () => {
      const { clock, segment, session, reports } = await stage();
      const rival = fakeService(type, { label: "Chosen", address: peer, port: 65_535 });
      const announcing = session.announce?.({ id: "a", info: "a", port: 1, name: "Chosen" }, never);
      segment.inject(rival.announcement(), peer);
      segment.inject(
        query({ questions: [{ name: rival.instance, type: "ANY" }], authorities: [rival.srv] }),
        peer,
      );
      await clock.advance(1_100);
      await announcing;
      const named = segment.heard.find(isAnnouncement)?.packet.answers?.map(({ name }) => name);
      expect(named).toContain(rival.instance);
      expect(reports).toEqual([]);
    },
  );

  requirement(
    18,
    "counts a question of another host as its own only if it is QM, complete, and knows no more",
    { mirrors: ["NetX Duo mdns_duplicate_question_suppression", "OpenThread TestBrowser"] },
    async () => {
      const question = { name: type, type: "PTR" } as const;
      for (const [payload, expected] of [
        [query({ questions: [question] }), [0, 1_000, 6_900]],
        [query({ questions: [question], answers: [box.ptr] }), [0, 1_000, 3_000, 7_000]],
        [query({ questions: [{ ...question, unicast: true }] }), [0, 1_000, 3_000, 7_000]],
        [query({ questions: [question], flags: headerBits.truncated }), [0, 1_000, 3_000, 7_000]],
        [query({ questions: [{ name: "_ipp._tcp.local", type: "PTR" }] }), [0, 1_000, 3_000, 7_000]],
      ] as const) {
        const { clock, segment, session } = await stage();
        collect(session, clock);
        await clock.advance(2_900);
        segment.inject(payload, peer);
        await clock.advance(5_000);
        const times = queriesOf(segment).filter(asksFor("PTR"));
        expect(times.map(({ atMs }) => Math.floor(atMs / 100) * 100)).toEqual(expected);
      }
    },
  );

  requirement(
    35,
    "announces and asks anew when the machine wakes, and probes first for a chosen name",
    {},
    async () => {
      const { clock, segment, session } = await stage();
      await session.announce?.({ id: "a", info: "a", port: 1 }, never);
      const chosen = session.announce?.({ id: "b", info: "b", port: 2, name: "Chosen" }, never);
      collect(session, clock);
      await clock.advance(20_000);
      await chosen;
      segment.heard.length = 0;
      clock.sleepHost(600_000);
      await clock.advance(10_000);
      expect(queriesOf(segment).filter(isProbe)).toHaveLength(3);
      expect(segment.heard.filter(isAnnouncement).length).toBeGreaterThanOrEqual(4);
      const probed = queriesOf(segment).filter(isProbe).at(-1)?.atMs ?? 0;
      const early = segment.heard.filter(isAnnouncement).filter(({ atMs }) => atMs < probed);
      const named = early.flatMap(({ packet }) => packet.answers?.map(({ name }) => name) ?? []);
      expect(named).not.toContain(`Chosen.${type}`);
      expect(queriesOf(segment).filter(asksFor("PTR")).length).toBeGreaterThanOrEqual(3);
    },
  );

  requirement(
    21,
    "asks for an SRV record of 120 s eight times from 75 % of its life on, 1 s apart or more",
    {
      mirrors: ["OpenThread TestSrvResolver"],
      deviates:
        "RFC 6762 asks at 80, 85, 90 and 95 %: with a fifth of all packets lost, 4 questions drop one live node in 60, 8 one in 3,500",
    },
    async () => {
      const { clock, segment, session } = await stage();
      const { seen } = collect(session, clock, 600_000);
      await clock.advance(10);
      segment.inject(box.announcement(), peer);
      const saidMs = clock.now();
      await clock.advance(119_000);
      const times = queriesOf(segment)
        .filter(asksFor("SRV"))
        .map(({ atMs }) => atMs - saidMs);
      expect(times).toHaveLength(8);
      expect(times[0]).toBeGreaterThanOrEqual(90_000);
      expect(times[0]).toBeLessThanOrEqual(96_001);
      const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
      expect(seen.filter(({ kind }) => kind === "gone")).toEqual([]);
    },
  );

  requirement(
    47,
    "asks for a doubted node at 0, 1, 2, 3 and 4 s",
    { mirrors: ["mdns-sd test_verify_srv", "python-zeroconf test_reconfirm_sends_queries"] },
    async () => {
      const { clock, segment, session } = await stage();
      const { seen } = collect(session, clock);
      await clock.advance(10);
      segment.inject(box.announcement(), peer);
      await clock.advance(5_000);
      const startMs = clock.now();
      await session.reconfirm?.(`${box.instance}@eth0`, never);
      await clock.advance(10_000);
      const times = queriesOf(segment)
        .filter(asksFor("SRV"))
        .map(({ atMs }) => atMs - startMs);
      expect(times).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
      expect(seen.at(-1)).toMatchObject({ kind: "gone", reason: "unreachable" });
      expect((seen.at(-1)?.atMs ?? 0) - startMs).toBeCloseTo(4_500);
    },
  );

  requirement(
    48,
    "does not doubt a node for one question, nor for two that are more than 10 s apart",
    { mirrors: ["NetX Duo mdns_poof"] },
    async () => {
      const { clock, segment, session } = await stage();
      const { seen } = collect(session, clock);
      await clock.advance(10);
      const patient = fakeService(type, { label: "Box", address: peer, hostTtlS: 3_600 });
      segment.inject(patient.announcement(), peer);
      const ask = (): void =>
        segment.inject(query({ questions: [{ name: box.instance, type: "SRV" }] }), peer);
      ask();
      await clock.advance(10_500);
      ask();
      await clock.advance(25_000);
      expect(queriesOf(segment).filter(asksFor("SRV"))).toEqual([]);
      expect(seen.filter(({ kind }) => kind === "gone")).toEqual([]);
    },
  );

  requirement(
    48,
    "takes no unanswered question for the service type as a reason to doubt a node",
    {
      mirrors: ["NetX Duo mdns_poof"],
      deviates:
        "its SRV record, which only the node itself gives, is asked for within the minute anyway; a list of many nodes takes several packets, and one lost would cast doubt on all in it",
    },
    async () => {
      const { clock, segment, session } = await stage();
      collect(session, clock);
      await clock.advance(10);
      segment.inject(box.announcement(), peer);
      for (let question = 0; question < 2; question += 1) {
        await clock.advance(2_000);
        segment.inject(query({ questions: [{ name: type, type: "PTR" }] }), "10.0.0.3");
      }
      await clock.advance(25_000);
      expect(queriesOf(segment).filter(asksFor("SRV"))).toEqual([]);
    },
  );

  requirement(
    20,
    "takes no known answer, and no record of another class, into the cache",
    { mirrors: ["NetX Duo mdns_known_answer_ignored"] },
    async () => {
      const { clock, segment, session } = await stage();
      const { seen } = collect(session, clock);
      await clock.advance(10);
      const chaos = response({ answers: [{ ...box.ptr, class: "CH" } as typeof box.ptr, box.srv] });
      segment.inject(chaos.subarray(0, 12), peer);
      segment.inject(query({ questions: [], answers: [box.ptr, box.srv, box.txt, box.a] }), peer);
      await clock.advance(500);
      expect(seen.filter(({ kind }) => kind === "alive")).toEqual([]);
    },
  );
});
