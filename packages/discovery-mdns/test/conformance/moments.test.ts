import { conformance } from "@lmserv/test-netlab/conformance";
import { fakeService, type Heard, headerBits, query, response } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { transitMs } from "../segment.ts";
import { announce, isAnnouncement } from "../virtual/service.ts";
import { peerOn, type Stage, serviceType, staged } from "../virtual/stage.ts";
import { browsing, never, subject } from "../virtual/subject.ts";
import { isProbe, rivalProbe } from "./rival.ts";

const box = fakeService(serviceType, { label: "Box", address: "10.77.0.2" });

const queriesOf = ({ peer, host }: Stage, afterMs?: number): readonly Heard[] =>
  peer.heard(host.address, afterMs).filter(({ message }) => !message.response);
const asksFor =
  (type: string) =>
  ({ message }: Heard): boolean =>
    message.questions.some((asked) => asked.type === type);
const timesOf = (packets: readonly Heard[]): number[] => packets.map(({ tMs }) => tMs);
const gapsBetween = (times: readonly number[]): number[] =>
  times.slice(1).map((tMs, index) => tMs - (times[index] ?? 0));

function rangeOf(what: string, delays: readonly number[]): string {
  const [least, most] = [Math.min(...delays), Math.max(...delays)].map((delayMs) => delayMs.toFixed(1));
  return `${delays.length} ${what} after ${least} to ${most} ms`;
}

/** Shares of the four quarters of [0, 1) in a sample. */
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
    staged(async (stage) => {
      await browsing(stage);
      await stage.pass(1);
      expect(timesOf(queriesOf(stage))).toEqual([0]);
    }),
  );

  requirement(
    13,
    "waits 20 to 120 ms, evenly spread, before it asks on a link that came up",
    { mirrors: ["python-zeroconf test_first_query_delay"] },
    async (note) => {
      const delays: number[] = [];
      for (let seed = 1; seed <= 120; seed += 1) {
        await staged(async (stage) => {
          // A session without any link would end.
          stage.host.addInterface("eth1", "10.88.0.1");
          const { session } = await subject(stage);
          session.browse({ ttlMs: 60_000 }, never)[Symbol.asyncIterator]().next();
          stage.host.cut();
          // Interfaces are read every 3 s.
          await stage.pass(3_000);
          stage.host.heal();
          const isQuestion = ({ message }: Heard): boolean => !message.response;
          const first = await stage.peer.find(stage.host.address, isQuestion, { afterMs: stage.nowMs() });
          delays.push(first.tMs - 6_000);
        }, seed)();
      }
      note(rangeOf("first questions", delays));
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(20);
      expect(Math.max(...delays)).toBeLessThanOrEqual(120);
      const shares = quarters(delays.map((delayMs) => (delayMs - 20) / 100));
      for (const share of shares) expect(share).toBeGreaterThan(0.1);
    },
  );

  requirement(
    14,
    "does not ask more often because more callers do",
    {},
    staged(async (stage) => {
      const { session } = await subject(stage);
      for (let caller = 0; caller < 10; caller += 1) {
        session.browse({ ttlMs: 60_000 }, never)[Symbol.asyncIterator]().next();
        await stage.pass(90);
      }
      await stage.pass(10_000);
      const gaps = gapsBetween(timesOf(queriesOf(stage).filter(asksFor("PTR"))));
      expect(gaps.length).toBeGreaterThanOrEqual(3);
      expect(Math.min(...gaps)).toBe(1_000);
    }),
  );

  requirement(
    14,
    "asks for one instance no earlier because another is asked for",
    {},
    staged(async (stage) => {
      await browsing(stage);
      const other = fakeService(serviceType, { label: "Other", address: "10.77.0.2" });
      await stage.peer.send(response({ answers: [box.ptr] }));
      await stage.pass(800);
      await stage.peer.send(response({ answers: [other.ptr] }));
      await stage.pass(5_000);
      const isAboutBox = ({ message }: Heard): boolean =>
        message.questions.some(({ name }) => name === box.instance);
      const gaps = gapsBetween(timesOf(queriesOf(stage).filter(isAboutBox)));
      expect(gaps[0]).toBeGreaterThanOrEqual(1_000);
      expect(gaps[1]).toBeGreaterThanOrEqual(2_000);
    }),
  );

  requirement(
    36,
    "waits 0 to 250 ms, evenly spread, before its first probe; the others follow after 250 ms each",
    { apple: ["II.1"], mirrors: ["OpenThread TestHostReg"] },
    async (note) => {
      const delays: number[] = [];
      for (let seed = 1; seed <= 120; seed += 1) {
        await staged(async (stage) => {
          await announce(stage, { name: "Chosen" });
          const [first = 0, ...others] = timesOf(queriesOf(stage).filter((heard) => isProbe(heard)));
          expect(others.map((tMs) => tMs - first)).toEqual([250, 500]);
          expect(stage.nowMs() - first).toBe(750);
          delays.push(first);
        }, seed)();
      }
      note(rangeOf("first probes", delays));
      expect(Math.max(...delays)).toBeLessThanOrEqual(250);
      for (const share of quarters(delays.map((delayMs) => delayMs / 250)))
        expect(share).toBeGreaterThan(0.1);
    },
  );

  requirement(
    36,
    "takes no notice of contradictions and probes that come before its first probe",
    { mirrors: ["NetX Duo mdns_probing_conflict"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      const rival = fakeService(serviceType, { label: "Chosen", address: "10.77.0.2", port: 65_535 });
      const announcing = running.announce("a", { port: 1, name: "Chosen" });
      await peer.send(rival.announcement());
      await peer.send(rivalProbe(rival.instance, [rival.srv]));
      await announcing;
      const { message } = await peer.find(host.address, isAnnouncement);
      expect(message.answers.map(({ name }) => name)).toContain(rival.instance);
      expect(running.reports).toEqual([]);
    }),
  );

  requirement(
    18,
    "counts a question of another host as its own only if it is QM, complete, and knows no more",
    { mirrors: ["NetX Duo mdns_duplicate_question_suppression", "OpenThread TestBrowser"] },
    async () => {
      const question = { name: serviceType, type: "PTR" } as const;
      for (const [payload, expected] of [
        [query({ questions: [question] }), [0, 1_000, 2_900 + transitMs + 4_000]],
        [query({ questions: [question], answers: [box.ptr] }), [0, 1_000, 3_000, 7_000]],
        [query({ questions: [{ ...question, unicast: true }] }), [0, 1_000, 3_000, 7_000]],
        [query({ questions: [question], flags: headerBits.truncated }), [0, 1_000, 3_000, 7_000]],
        [query({ questions: [{ name: "_ipp._tcp.local", type: "PTR" }] }), [0, 1_000, 3_000, 7_000]],
      ] as const) {
        await staged(async (stage) => {
          await browsing(stage);
          await stage.pass(2_900);
          await stage.peer.send(payload);
          await stage.pass(5_000);
          expect(timesOf(queriesOf(stage).filter(asksFor("PTR")))).toEqual(expected);
        })();
      }
    },
  );

  requirement(
    35,
    "announces and asks anew when the machine wakes, and probes first for a chosen name",
    {},
    staged(async (stage) => {
      const { clock, peer, host } = stage;
      const running = await subject(stage);
      await running.announce("a", { port: 1 });
      await running.announce("b", { port: 2, name: "Chosen" });
      running.session.browse({ ttlMs: 60_000 }, never)[Symbol.asyncIterator]().next();
      await stage.pass(20_000);
      const sleptMs = stage.nowMs();
      clock.sleepHost(600_000);
      await stage.pass(10_000);
      const probes = queriesOf(stage, sleptMs).filter((heard) => isProbe(heard));
      expect(probes).toHaveLength(3);
      const announcements = peer.heard(host.address, sleptMs).filter(isAnnouncement);
      expect(announcements.length).toBeGreaterThanOrEqual(4);
      const early = announcements.filter(({ tMs }) => tMs < (probes.at(-1)?.tMs ?? 0));
      const named = early.flatMap(({ message }) => message.answers.map(({ name }) => name));
      expect(named).not.toContain(`Chosen.${serviceType}`);
      expect(queriesOf(stage, sleptMs).filter(asksFor("PTR")).length).toBeGreaterThanOrEqual(3);
    }),
  );

  requirement(
    21,
    "asks for an SRV record of 120 s eight times from 75 % of its life on, 1 s apart or more",
    {
      mirrors: ["OpenThread TestSrvResolver"],
      deviates:
        "RFC 6762 asks at 80, 85, 90 and 95 %: with a fifth of all packets lost, 4 questions drop one live node in 60, 8 one in 3,500",
    },
    staged(async (stage) => {
      const seen = await browsing(stage, { ttlMs: 600_000 });
      const saidMs = await stage.peer.send(box.announcement());
      await stage.until(saidMs + 119_000);
      const times = timesOf(queriesOf(stage).filter(asksFor("SRV"))).map((tMs) => tMs - saidMs);
      expect(times).toHaveLength(8);
      expect(times[0]).toBeGreaterThanOrEqual(90_000);
      expect(times[0]).toBeLessThanOrEqual(96_000 + transitMs);
      expect(Math.min(...gapsBetween(times))).toBeGreaterThanOrEqual(1_000);
      expect(seen.observations().filter(({ kind }) => kind === "gone")).toEqual([]);
    }),
  );

  requirement(
    47,
    "asks for a doubted node at 0, 1, 2, 3 and 4 s",
    { mirrors: ["mdns-sd test_verify_srv", "python-zeroconf test_reconfirm_sends_queries"] },
    staged(async (stage) => {
      const seen = await browsing(stage);
      await stage.peer.send(box.announcement());
      await stage.until(5_000);
      await seen.reconfirm(`${box.instance}@${stage.host.interface}`);
      const gone = await seen.observation(({ kind }) => kind === "gone");
      expect(gone).toMatchObject({ reason: "unreachable" });
      expect(stage.nowMs()).toBe(9_500);
      const times = timesOf(queriesOf(stage).filter(asksFor("SRV")));
      expect(times).toEqual([5_000, 6_000, 7_000, 8_000, 9_000]);
    }),
  );

  requirement(
    48,
    "does not doubt a node for one question, nor for two that are more than 10 s apart",
    { mirrors: ["NetX Duo mdns_poof"] },
    staged(async (stage) => {
      const { peer } = stage;
      const seen = await browsing(stage);
      const patient = fakeService(serviceType, { label: "Box", address: "10.77.0.2", hostTtlS: 3_600 });
      await peer.send(patient.announcement());
      const question = query({ questions: [{ name: box.instance, type: "SRV" }] });
      await peer.send(question);
      await stage.pass(10_500);
      await peer.send(question);
      await stage.pass(25_000);
      expect(queriesOf(stage).filter(asksFor("SRV"))).toEqual([]);
      expect(seen.observations().filter(({ kind }) => kind === "gone")).toEqual([]);
    }),
  );

  requirement(
    48,
    "takes no unanswered question for the service type as a reason to doubt a node",
    {
      mirrors: ["NetX Duo mdns_poof"],
      deviates:
        "its SRV record, which only the node itself gives, is asked for within the minute anyway; a list of many nodes takes several packets, and one lost would cast doubt on all in it",
    },
    staged(async (stage) => {
      const stranger = peerOn(stage, stage.third);
      await browsing(stage);
      await stage.peer.send(box.announcement());
      for (let question = 0; question < 2; question += 1) {
        await stage.pass(2_000);
        await stranger.send(query({ questions: [{ name: serviceType, type: "PTR" }] }));
      }
      await stage.pass(25_000);
      expect(queriesOf(stage).filter(asksFor("SRV"))).toEqual([]);
    }),
  );

  requirement(
    20,
    "takes no known answer, and no record of another class, into the cache",
    { mirrors: ["NetX Duo mdns_known_answer_ignored"] },
    staged(async (stage) => {
      const seen = await browsing(stage);
      const records = [box.ptr, box.srv, box.txt, box.a];
      const chaos = response({ answers: records.map((record) => ({ ...record, class: "CH" as const })) });
      await stage.peer.send(chaos);
      await stage.peer.send(query({ questions: [], answers: records }));
      await stage.pass(500);
      expect(seen.observations()).toEqual([]);
      await stage.peer.send(response({ answers: records }));
      await seen.alive("Box");
    }),
  );
});
