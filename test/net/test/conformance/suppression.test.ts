import type { Answer } from "dns-packet";
import { afterAll, beforeAll, expect } from "vitest";
import { conformance, inTurn } from "../../src/conformance/lan.ts";
import {
  type Tapped as Heard,
  headerBits,
  query,
  type RawPeer,
  rawPeer,
  response,
} from "../../src/raw-peer/index.ts";
import { answersWith, asksFor } from "./delays.ts";
import { faultsOf } from "./lawful.ts";
import {
  closeStage,
  isMulticast,
  openStage,
  quietService,
  rested,
  type Service,
  type Stage,
  serviceType,
  until,
} from "./stage.ts";

/** When an answer must have come: the longest wait of RFC 6762, and what a busy machine adds. */
const answerLimitMs = 250;
const truncatedLimitMs = 700;

conformance("The suppression of answers", () => {
  inTurn("of one service", (requirement) => {
    let stage: Stage;
    let service: Service;
    let other: RawPeer;

    beforeAll(async () => {
      stage = await openStage();
      other = await rawPeer(stage.third);
      service = await quietService(stage, "--info", "Conform");
    });
    afterAll(() => closeStage(stage));

    const pointer = (ttl: number, data = service.instance): Answer => ({
      type: "PTR",
      name: serviceType,
      ttl,
      data,
    });
    const location = (ttl: number): Answer => ({
      type: "SRV",
      name: service.instance,
      ttl,
      data: { port: service.port, target: service.hostName },
    });
    const answersSince = (atMs: number): readonly Heard[] =>
      stage.peer
        .heard(stage.host.address, atMs)
        .filter(({ message, dst }) => message.response && isMulticast(dst));

    /** Waits out the time for an answer; then the host proves that it still hears, by an answer to nobody else. */
    async function expectSilence(sinceMs: number, limitMs: number = answerLimitMs): Promise<void> {
      await until(sinceMs + limitMs);
      const questions = [{ name: service.instance, type: "TXT" }] as const;
      const askedMs = await stage.peer.send(query({ id: 1, questions }), { fromPort: 40_001 });
      await stage.peer.find(stage.host.address, ({ dport }) => dport === 40_001, { afterMs: askedMs });
      expect(answersSince(sinceMs)).toEqual([]);
    }

    async function expectAnswer(sinceMs: number, type: "PTR" | "SRV", name: string): Promise<void> {
      await stage.peer.find(stage.host.address, answersWith(type, name), { afterMs: sinceMs });
    }

    requirement(
      27,
      "does not answer with a pointer that the asker knows for half its life or more, and does for less",
      {
        apple: ["II.9"],
        mirrors: [
          "NetX Duo mdns_known_answer_suppression_response",
          "python-zeroconf test_known_answer_supression",
          "mdns-sd test_known_answer_suppression",
        ],
      },
      async () => {
        await rested(stage);
        for (const ttl of [4_500, 3_600, 2_700, 2_251, 2_250]) {
          const known = query({ questions: [{ name: serviceType, type: "PTR" }], answers: [pointer(ttl)] });
          await expectSilence(await stage.peer.send(known));
        }
        const known = query({ questions: [{ name: serviceType, type: "PTR" }], answers: [pointer(2_249)] });
        await expectAnswer(await stage.peer.send(known), "PTR", serviceType);
      },
    );

    requirement(
      27,
      "does the same for a unique record, and whatever the case of the known answer",
      { mirrors: ["NetX Duo mdns_known_answer_suppression_unique"] },
      async () => {
        await rested(stage);
        const questions = [{ name: service.instance, type: "SRV" }] as const;
        const shouted = { ...location(60), name: service.instance.toUpperCase() } as Answer;
        await expectSilence(await stage.peer.send(query({ questions, answers: [location(120)] })));
        await expectSilence(await stage.peer.send(query({ questions, answers: [shouted] })));
        const short = query({ questions, answers: [location(59)] });
        await expectAnswer(await stage.peer.send(short), "SRV", service.instance);
      },
    );

    requirement(27, "answers when the known answer is another one", {}, async () => {
      await rested(stage);
      const questions = [{ name: serviceType, type: "PTR" }] as const;
      const known = query({ questions, answers: [pointer(4_500, `Other.${serviceType}`)] });
      await expectAnswer(await stage.peer.send(known), "PTR", serviceType);
    });

    requirement(
      27,
      "answers only the question that the known answer does not answer",
      { apple: ["II.11-14"], mirrors: ["NetX Duo mdns_multiple_questions_per_query"] },
      async () => {
        await rested(stage);
        const questions = [
          { name: serviceType, type: "PTR" },
          { name: `_lmserv._sub.${serviceType}`, type: "PTR" },
        ] as const;
        const sentMs = await stage.peer.send(query({ questions, answers: [pointer(4_500)] }));
        await expectAnswer(sentMs, "PTR", `_lmserv._sub.${serviceType}`);
        const names = answersSince(sentMs).flatMap(({ message }) => message.answers.map(({ name }) => name));
        expect(names).toEqual([`_lmserv._sub.${serviceType}`]);
      },
    );

    requirement(
      27,
      "counts the known answers of packets that follow one with TC",
      {
        apple: ["II.10"],
        mirrors: ["python-zeroconf test_multi_packet_known_answer_supression", "OpenThread TestMultiPacket"],
      },
      async () => {
        const truncated = query({
          flags: headerBits.truncated,
          questions: [{ name: serviceType, type: "PTR" }],
          answers: [pointer(4_500, `Other.${serviceType}`)],
        });
        await rested(stage);
        for (const ttl of [4_500, 2_250]) {
          await stage.peer.send(truncated);
          await expectSilence(await stage.peer.send(query({ answers: [pointer(ttl)] })), truncatedLimitMs);
        }
        await stage.peer.send(truncated);
        await expectAnswer(await stage.peer.send(query({ answers: [pointer(2_249)] })), "PTR", serviceType);
      },
    );

    requirement(
      27,
      "does not count the known answers of another asker than the one with TC",
      {},
      async () => {
        await rested(stage);
        const questions = [{ name: serviceType, type: "PTR" }] as const;
        const sentMs = await stage.peer.send(query({ flags: headerBits.truncated, questions }));
        await other.send(query({ answers: [pointer(4_500)] }));
        await expectAnswer(sentMs, "PTR", serviceType);
      },
    );

    requirement(
      28,
      "does not answer when somebody else just said the same with as long a life, and does for a shorter one",
      { mirrors: ["NetX Duo mdns_duplicate_answer_suppression"] },
      async () => {
        await rested(stage);
        const sentMs = await stage.peer.send(asksFor(serviceType));
        await other.send(response({ answers: [pointer(4_500)] }));
        await expectSilence(sentMs);
        const againMs = await stage.peer.send(asksFor(serviceType));
        await other.send(response({ answers: [pointer(4_000)] }));
        await expectAnswer(againMs, "PTR", serviceType);
      },
    );

    requirement(
      43,
      "multicasts a record anew that somebody gives less than half its life, shared or unique",
      { mirrors: ["python-zeroconf test_guard_against_low_ptr_ttl"] },
      async () => {
        await rested(stage);
        await expectSilence(await other.send(response({ answers: [pointer(2_250)] })));
        await expectAnswer(await other.send(response({ answers: [pointer(2_249)] })), "PTR", serviceType);
        await rested(stage);
        await expectAnswer(await other.send(response({ answers: [location(10)] })), "SRV", service.instance);
      },
    );

    requirement(43, "contradicts a goodbye that somebody else says for it", {}, async () => {
      await rested(stage);
      await expectAnswer(await other.send(response({ answers: [pointer(0)] })), "PTR", serviceType);
      await rested(stage);
      await expectAnswer(await other.send(response({ answers: [location(0)] })), "SRV", service.instance);
    });

    requirement(27, "sends nothing but lawful packets all the while", { apple: ["II.*"] }, async () => {
      expect(faultsOf(stage.peer, stage.host)).toEqual([]);
    });
  });
});
