import { afterAll, beforeAll, expect } from "vitest";
import { conformance, inTurn } from "../../src/conformance/lan.ts";
import { type Tapped as Heard, headerBits, query } from "../../src/raw-peer/index.ts";
import { answersWith, asksFor, delayStatistics } from "./delays.ts";
import { faultsOf } from "./lawful.ts";
import {
  closeStage,
  lastAnnouncement,
  multicasts,
  openStage,
  rested,
  type Stage,
  serviceType,
  subject,
  until,
} from "./stage.ts";

/** How many services the host announces, each with a subtype, and so a shared record, of its own. */
const services = 20;
const subtype = (index: number): string => `_kind${index % services}._sub.${serviceType}`;

conformance("The timing of responses", () => {
  inTurn("on one busy host", (requirement) => {
    let stage: Stage;
    const instances: string[] = [];

    beforeAll(async () => {
      stage = await openStage();
      const { host, peer } = stage;
      const running = await subject(host);
      const names = Array.from({ length: services }, (_, index) => `kind${index}`);
      await Promise.all(
        names.map((as) => running.order({ do: "announce", as, node: { port: 8000, server: as } })),
      );
      for (const name of names) {
        const { message } = await peer.find(host.address, answersWith("PTR", `_${name}._sub.${serviceType}`));
        instances.push(message.answers.find(({ type }) => type === "SRV")?.name ?? "");
      }
      await lastAnnouncement(stage, services);
      await rested(stage);
    });
    afterAll(() => closeStage(stage));

    /** Asks, and resolves with the answer and how long it took. */
    async function ask(
      payload: Buffer,
      fits: (heard: Heard) => boolean,
    ): Promise<{ heard: Heard; delayMs: number }> {
      const { peer, host } = stage;
      const askedMs = await peer.send(payload);
      const heard = await peer.find(host.address, fits, { afterMs: askedMs });
      return { heard, delayMs: heard.tMs - askedMs };
    }

    async function askShared(index: number): Promise<number> {
      const name = subtype(index);
      return (await ask(query({ questions: [{ name, type: "PTR" }] }), answersWith("PTR", name))).delayMs;
    }

    requirement(
      23,
      "answers for shared records after 20 to 120 ms, evenly spread",
      { apple: ["II.8"], mirrors: ["NetX Duo mdns_response_interval"] },
      async (note) => {
        const delays: number[] = [];
        for (let index = 0; index < 120; index += 1) {
          if (index % services === 0) await rested(stage);
          delays.push(await askShared(index));
        }
        const { minMs, maxMs, quadrants, text } = delayStatistics(delays, { fromMs: 20, toMs: 125 });
        note(text);
        expect(minMs).toBeGreaterThanOrEqual(20);
        expect(maxMs).toBeLessThan(750);
        for (const share of quadrants) {
          expect(share).toBeGreaterThan(0.05);
          expect(share).toBeLessThan(0.45);
        }
      },
    );

    requirement(
      23,
      "answers for unique records at once",
      { apple: ["II.7"], mirrors: ["NetX Duo mdns_response_no_delay"] },
      async (note) => {
        await rested(stage);
        const delays: number[] = [];
        for (const name of instances) {
          for (const type of ["SRV", "TXT"] as const) {
            const { delayMs } = await ask(query({ questions: [{ name, type }] }), answersWith(type, name));
            delays.push(delayMs);
          }
        }
        const { medianMs, maxMs, text } = delayStatistics(delays, { fromMs: 0, toMs: 10 });
        note(text);
        expect(medianMs).toBeLessThan(10);
        expect(maxMs).toBeLessThan(750);
      },
    );

    requirement(
      24,
      "answers several questions of one packet after 20 to 120 ms, unique records too",
      { apple: ["II.11-14"], mirrors: ["NetX Duo mdns_multiple_questions_per_query"] },
      async (note) => {
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
        const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 20, toMs: 125 });
        note(text);
        expect(minMs).toBeGreaterThanOrEqual(20);
        expect(maxMs).toBeLessThan(750);
      },
    );

    requirement(
      25,
      "answers two questions that come back to back in one packet",
      {
        apple: ["II.15"],
        mirrors: ["NetX Duo mdns_response_aggregation", "python-zeroconf test_response_aggregation_timings"],
      },
      async () => {
        await rested(stage);
        for (let index = 0; index < services; index += 2) {
          const [one, two] = [subtype(index), subtype(index + 1)];
          await stage.peer.send(asksFor(one));
          const { heard } = await ask(asksFor(two), answersWith("PTR", two));
          expect(heard.message.answers.map(({ name }) => name).sort()).toEqual([one, two].sort());
        }
      },
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
      async (note) => {
        await rested(stage);
        const { peer, host } = stage;
        const askedMs: number[] = [];
        for (let index = 0; index < services; index += 1) {
          askedMs.push(await peer.send(asksFor(subtype(index))));
          await until((askedMs.at(-1) ?? 0) + 50);
        }
        const delays = await Promise.all(
          askedMs.map(async (afterMs, index) => {
            const answer = await peer.find(host.address, answersWith("PTR", subtype(index)), { afterMs });
            return answer.tMs - afterMs;
          }),
        );
        const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 20, toMs: 620 });
        note(text);
        expect(minMs).toBeGreaterThanOrEqual(20);
        expect(maxMs).toBeLessThan(850);
      },
    );

    requirement(
      23,
      "waits 400 to 500 ms for the known answers that TC promises, anew after each further packet with TC",
      {
        apple: ["II.10"],
        mirrors: ["NetX Duo mdns_query_with_tc", "OpenThread TestMultiPacket", "ciao TruncatedQuery.spec"],
      },
      async (note) => {
        await rested(stage);
        const delays: number[] = [];
        for (let index = 0; index < 8; index += 1) {
          const name = subtype(index);
          const flags = headerBits.truncated;
          const askedMs = await stage.peer.send(query({ flags, questions: [{ name, type: "PTR" }] }));
          let lastMs = askedMs;
          if (index % 2 === 1) {
            await until(lastMs + 200);
            const other = { type: "PTR", name, ttl: 4_500, data: `other.${serviceType}` } as const;
            lastMs = await stage.peer.send(query({ flags, answers: [other] }));
          }
          const fits = answersWith("PTR", name);
          const answer = await stage.peer.find(stage.host.address, fits, { afterMs: askedMs });
          // A busy machine may have sent the further packet after the answer to the first was due.
          delays.push(answer.tMs - (answer.tMs > lastMs ? lastMs : askedMs));
        }
        const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 400, toMs: 500 });
        note(text);
        expect(minMs).toBeGreaterThanOrEqual(400);
        expect(maxMs).toBeLessThan(1_000);
      },
    );

    requirement(
      23,
      "waits 20 ms at least after the last packet of known answers",
      { mirrors: ["python-zeroconf test_tc_bit_defers_last_response_missing"] },
      async (note) => {
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
        const { minMs, maxMs, text } = delayStatistics(delays, { fromMs: 20, toMs: 500 });
        note(text);
        expect(minMs).toBeGreaterThanOrEqual(20);
        expect(maxMs).toBeLessThan(1_000);
      },
    );

    requirement(
      26,
      "multicasts no answer twice within a second, however often it is asked",
      {
        mirrors: ["NetX Duo mdns_response_interval", "python-zeroconf test_response_aggregation_timings"],
      },
      async (note) => {
        await rested(stage);
        const { peer, host } = stage;
        const [name = ""] = instances;
        const startMs = await peer.send(asksFor(subtype(0)));
        for (let atMs = startMs; atMs < startMs + 3_500; atMs += 100) {
          await until(atMs);
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
      },
    );

    requirement(
      26,
      "multicasts no record twice within a second, additional ones included",
      { mirrors: ["python-zeroconf test_response_aggregation_timings"] },
      async () => {
        const lastMs = new Map<string, number>();
        const early = multicasts(stage.peer, stage.host).flatMap(({ message, tMs }) =>
          [...message.answers, ...message.additionals].flatMap((record) => {
            const key = JSON.stringify(record);
            const gapMs = tMs - (lastMs.get(key) ?? Number.NEGATIVE_INFINITY);
            lastMs.set(key, tMs);
            return gapMs < 1_000 ? [`${record.type} ${record.name} again after ${gapMs.toFixed(1)} ms`] : [];
          }),
        );
        expect(early).toEqual([]);
      },
    );

    requirement(23, "sends nothing but lawful packets all the while", { apple: ["II.*"] }, async () => {
      expect(faultsOf(stage.peer, stage.host)).toEqual([]);
    });
  });
});
