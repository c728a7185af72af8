import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, headerBits, query } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { transitMs } from "../segment.ts";
import { lastAnnouncement, multicasts, rested } from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { subject } from "../virtual/subject.ts";
import { answersWith, asksFor, delayStatistics } from "./delays.ts";

/** Services of the host, each with a subtype, and so a shared record, of its own. */
const services = 20;
const subtype = (index: number): string => `_kind${index % services}._sub.${serviceType}`;

interface Scene {
  readonly stage: Stage;
  readonly instances: readonly string[];
  /** Asks, and resolves with the answer and the host's delay in ms. */
  readonly ask: (
    payload: Buffer,
    fits: (heard: Heard) => boolean,
  ) => Promise<{ readonly heard: Heard; readonly delayMs: number }>;
}

type Play = (scene: Scene, note: (measured: string) => void) => Promise<void>;

/** Body of a test of a busy host, which sends no record twice within a second. */
function busy(play: Play): (note: (measured: string) => void) => Promise<void> {
  return (note) =>
    staged(async (stage) => {
      await play(await sceneOn(stage), note);
      expect(repeatedBy(stage)).toEqual([]);
    })();
}

/** Records that a host sent twice within a second (RFC 6762 section 6). */
function repeatedBy({ peer, host }: Stage): string[] {
  const lastMs = new Map<string, number>();
  return multicasts(peer, host).flatMap(({ message, tMs }) =>
    [...message.answers, ...message.additionals].flatMap((record) => {
      const key = JSON.stringify(record);
      const gapMs = tMs - (lastMs.get(key) ?? Number.NEGATIVE_INFINITY);
      lastMs.set(key, tMs);
      return gapMs < 1_000 ? [`${record.type} ${record.name} again after ${gapMs} ms`] : [];
    }),
  );
}

async function sceneOn(stage: Stage): Promise<Scene> {
  const { host, peer } = stage;
  const running = await subject(stage);
  const names = Array.from({ length: services }, (_, index) => `kind${index}`);
  await Promise.all(names.map((as) => running.announce(as, { port: 8_000, server: as })));
  const instances: string[] = [];
  for (const name of names) {
    const { message } = await peer.find(host.address, answersWith("PTR", `_${name}._sub.${serviceType}`));
    instances.push(message.answers.find(({ type }) => type === "SRV")?.name ?? "");
  }
  await lastAnnouncement(stage, services);
  await rested(stage);
  return {
    stage,
    instances,
    async ask(payload, fits) {
      const askedMs = await peer.send(payload);
      const heard = await peer.find(host.address, fits, { afterMs: askedMs });
      return { heard, delayMs: heard.tMs - askedMs - transitMs };
    },
  };
}

conformance("The timing of responses", (requirement) => {
  requirement(
    23,
    "answers for shared records after 20 to 120 ms, evenly spread",
    { apple: ["II.8"], mirrors: ["NetX Duo mdns_response_interval"] },
    busy(async ({ stage, ask }, note) => {
      const delays: number[] = [];
      for (let index = 0; index < 120; index += 1) {
        if (index % services === 0) await rested(stage);
        const name = subtype(index);
        const { delayMs } = await ask(asksFor(name), answersWith("PTR", name));
        delays.push(delayMs);
      }
      const { minMs, maxMs, quadrants, text } = delayStatistics(delays, { fromMs: 20, toMs: 120 });
      note(text);
      expect(minMs).toBeGreaterThanOrEqual(20);
      expect(maxMs).toBeLessThan(120);
      for (const share of quadrants) {
        expect(share).toBeGreaterThan(0.05);
        expect(share).toBeLessThan(0.45);
      }
    }),
  );

  requirement(
    23,
    "answers for unique records at once",
    { apple: ["II.7"], mirrors: ["NetX Duo mdns_response_no_delay"] },
    busy(async ({ stage, instances, ask }, note) => {
      await rested(stage);
      const delays: number[] = [];
      for (const name of instances) {
        for (const type of ["SRV", "TXT"] as const) {
          const { delayMs } = await ask(query({ questions: [{ name, type }] }), answersWith(type, name));
          delays.push(delayMs);
        }
      }
      note(`${delays.length} answers`);
      expect(delays).toEqual(delays.map(() => 0));
    }),
  );

  requirement(
    24,
    "answers several questions of one packet after 20 to 120 ms, unique records too",
    { apple: ["II.11-14"], mirrors: ["NetX Duo mdns_multiple_questions_per_query"] },
    busy(async ({ stage, instances, ask }, note) => {
      const delays: number[] = [];
      await rested(stage);
      for (let index = 0; index < services; index += 2) {
        const [one = "", two = ""] = instances.slice(index);
        const questions = [one, two].map((name) => ({ name, type: "SRV" as const }));
        const both = (heard: Heard): boolean =>
          answersWith("SRV", one)(heard) && answersWith("SRV", two)(heard);
        const { delayMs } = await ask(query({ questions }), both);
        delays.push(delayMs);
      }
      const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 20, toMs: 120 });
      note(text);
      expect(minMs).toBeGreaterThanOrEqual(20);
      expect(maxMs).toBeLessThan(120);
    }),
  );

  requirement(
    25,
    "answers two questions that come back to back in one packet",
    {
      apple: ["II.15"],
      mirrors: ["NetX Duo mdns_response_aggregation", "python-zeroconf test_response_aggregation_timings"],
    },
    busy(async ({ stage, ask }) => {
      await rested(stage);
      for (let index = 0; index < services; index += 2) {
        const [one, two] = [subtype(index), subtype(index + 1)];
        await stage.peer.send(asksFor(one));
        const { heard } = await ask(asksFor(two), answersWith("PTR", two));
        expect(heard.message.answers.map(({ name }) => name).sort()).toEqual([one, two].sort());
      }
    }),
  );

  requirement(
    25,
    "holds no answer back for more than 500 ms, however many questions follow",
    {
      mirrors: [
        "python-zeroconf test_response_aggregation_timings_multiple",
        "python-zeroconf test_response_aggregation_random_delay",
      ],
    },
    busy(async ({ stage }, note) => {
      await rested(stage);
      const { peer, host } = stage;
      const askedMs: number[] = [];
      // Each question comes before the answers to the earlier ones are due.
      for (let index = 0; index < 4 * services; index += 1) {
        askedMs.push(await peer.send(asksFor(subtype(index))));
        await stage.pass(15);
      }
      const delays = await Promise.all(
        askedMs.slice(0, services).map(async (afterMs, index) => {
          const answer = await peer.find(host.address, answersWith("PTR", subtype(index)), { afterMs });
          return answer.tMs - afterMs - transitMs;
        }),
      );
      const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 20, toMs: 500 });
      note(text);
      expect(minMs).toBeGreaterThanOrEqual(20);
      expect(maxMs).toBeLessThanOrEqual(500);
    }),
  );

  requirement(
    23,
    "waits 400 to 500 ms for the known answers that TC promises, anew after each further packet with TC",
    {
      apple: ["II.10"],
      mirrors: ["NetX Duo mdns_query_with_tc", "OpenThread TestMultiPacket", "ciao TruncatedQuery.spec"],
    },
    busy(async ({ stage }, note) => {
      await rested(stage);
      const delays: number[] = [];
      for (let index = 0; index < 8; index += 1) {
        const name = subtype(index);
        const flags = headerBits.truncated;
        const askedMs = await stage.peer.send(query({ flags, questions: [{ name, type: "PTR" }] }));
        let lastMs = askedMs;
        if (index % 2 === 1) {
          await stage.until(lastMs + 200);
          const other = { type: "PTR", name, ttl: 4_500, data: `other.${serviceType}` } as const;
          lastMs = await stage.peer.send(query({ flags, answers: [other] }));
        }
        const fits = answersWith("PTR", name);
        const answer = await stage.peer.find(stage.host.address, fits, { afterMs: askedMs });
        delays.push(answer.tMs - lastMs - transitMs);
      }
      const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 400, toMs: 500 });
      note(text);
      expect(minMs).toBeGreaterThanOrEqual(400);
      expect(maxMs).toBeLessThan(500);
    }),
  );

  requirement(
    23,
    "waits 20 ms at least after the last packet of known answers",
    { mirrors: ["python-zeroconf test_tc_bit_defers_last_response_missing"] },
    busy(async ({ stage, ask }, note) => {
      await rested(stage);
      const delays: number[] = [];
      for (let index = 8; index < services; index += 1) {
        const name = subtype(index);
        const flags = headerBits.truncated;
        await stage.peer.send(query({ flags, questions: [{ name, type: "PTR" }] }));
        const other = { type: "PTR", name, ttl: 4_500, data: `other.${serviceType}` } as const;
        const { delayMs } = await ask(query({ answers: [other] }), answersWith("PTR", name));
        delays.push(delayMs);
      }
      const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 20, toMs: 120 });
      note(text);
      expect(minMs).toBeGreaterThanOrEqual(20);
      expect(maxMs).toBeLessThan(120);
    }),
  );

  requirement(
    26,
    "multicasts no answer twice within a second, however often it is asked",
    {
      mirrors: ["NetX Duo mdns_response_interval", "python-zeroconf test_response_aggregation_timings"],
    },
    busy(async ({ stage, instances }, note) => {
      await rested(stage);
      const { peer, host } = stage;
      const [name = ""] = instances;
      const startMs = await peer.send(asksFor(subtype(0)));
      for (let atMs = startMs; atMs < startMs + 3_500; atMs += 100) {
        await stage.until(atMs);
        await Promise.all([
          peer.send(asksFor(subtype(0))),
          peer.send(query({ questions: [{ name, type: "TXT" }] })),
        ]);
      }
      const timesOf = (fits: (heard: Heard) => boolean): number[] =>
        peer
          .heard(host.address, startMs)
          .filter(fits)
          .map(({ tMs }) => tMs);
      const gaps = [answersWith("PTR", subtype(0)), answersWith("TXT", name)].flatMap((fits) => {
        const times = timesOf(fits);
        expect(times.length).toBeGreaterThanOrEqual(3);
        return times.slice(1).map((tMs, index) => tMs - (times[index] ?? 0));
      });
      note(`gaps of ${Math.min(...gaps).toFixed(0)} ms and more`);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    }),
  );

  requirement(
    26,
    "multicasts no record twice within a second, additional ones included",
    { mirrors: ["python-zeroconf test_response_aggregation_timings"] },
    busy(async ({ stage, instances }) => {
      const startMs = stage.nowMs();
      for (let index = 0; stage.nowMs() < startMs + 5_000; index += 1) {
        const name = instances[index % services] ?? "";
        await stage.peer.send(asksFor(subtype(index)));
        await stage.peer.send(query({ questions: [{ name, type: "SRV" }] }));
        await stage.peer.send(asksFor(serviceType));
        await stage.until(stage.nowMs() + 70);
      }
      expect(multicasts(stage.peer, stage.host, startMs).length).toBeGreaterThan(services);
    }),
  );
});
