import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, headerBits, query, response } from "@lmserv/test-netlab/raw-peer";
import type { Answer } from "dns-packet";
import { expect } from "vitest";
import type { VirtualPeer } from "../virtual/peer.ts";
import { isMulticast, quietService, rested, type Service } from "../virtual/service.ts";
import { peerOn, type Stage, serviceType, staged } from "../virtual/stage.ts";
import { answersWith, asksFor } from "./delays.ts";

/** Time by which an answer must have come, in ms: longer than any wait of RFC 6762. */
const answerLimitMs = 2_000;

interface Scene {
  readonly stage: Stage;
  readonly service: Service;
  readonly other: VirtualPeer;
  readonly pointer: (ttl: number, data?: string) => Answer;
  readonly location: (ttl: number) => Answer;
  /** Waits out the time for an answer; then a direct answer proves that the host still hears. */
  readonly expectSilence: (sinceMs: number) => Promise<void>;
  readonly expectAnswer: (sinceMs: number, type: "PTR" | "SRV", name: string) => Promise<void>;
  readonly answersSince: (atMs: number) => readonly Heard[];
}

function served(play: (scene: Scene) => Promise<void>): () => Promise<void> {
  return staged(async (stage) => {
    const service = await quietService(stage);
    const { peer, host } = stage;
    const answersSince = (atMs: number): readonly Heard[] =>
      peer.heard(host.address, atMs).filter(({ message, dst }) => message.response && isMulticast(dst));
    await play({
      stage,
      service,
      answersSince,
      other: peerOn(stage, stage.third),
      pointer: (ttl, data = service.instance) => ({ type: "PTR", name: serviceType, ttl, data }),
      location: (ttl) => ({
        type: "SRV",
        name: service.instance,
        ttl,
        data: { port: service.port, target: service.hostName },
      }),
      async expectSilence(sinceMs) {
        await stage.until(sinceMs + answerLimitMs);
        const questions = [{ name: service.instance, type: "TXT" }] as const;
        const askedMs = await peer.send(query({ id: 1, questions }), { fromPort: 40_001 });
        await peer.find(host.address, ({ dport }) => dport === 40_001, { afterMs: askedMs });
        expect(answersSince(sinceMs)).toEqual([]);
      },
      async expectAnswer(sinceMs, type, name) {
        await peer.find(host.address, answersWith(type, name), {
          afterMs: sinceMs,
          timeoutMs: answerLimitMs,
        });
      },
    });
  });
}

conformance("The suppression of answers", (requirement) => {
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
    served(async ({ stage, pointer, expectSilence, expectAnswer }) => {
      await rested(stage);
      for (const ttl of [4_500, 3_600, 2_700, 2_251, 2_250]) {
        const known = query({ questions: [{ name: serviceType, type: "PTR" }], answers: [pointer(ttl)] });
        await expectSilence(await stage.peer.send(known));
      }
      const known = query({ questions: [{ name: serviceType, type: "PTR" }], answers: [pointer(2_249)] });
      await expectAnswer(await stage.peer.send(known), "PTR", serviceType);
    }),
  );

  requirement(
    27,
    "does the same for a unique record, and whatever the case of the known answer",
    { mirrors: ["NetX Duo mdns_known_answer_suppression_unique"] },
    served(async ({ stage, service, location, expectSilence, expectAnswer }) => {
      await rested(stage);
      const questions = [{ name: service.instance, type: "SRV" }] as const;
      const shouted = { ...location(60), name: service.instance.toUpperCase() } as Answer;
      await expectSilence(await stage.peer.send(query({ questions, answers: [location(120)] })));
      await expectSilence(await stage.peer.send(query({ questions, answers: [shouted] })));
      const short = query({ questions, answers: [location(59)] });
      await expectAnswer(await stage.peer.send(short), "SRV", service.instance);
    }),
  );

  requirement(
    27,
    "answers when the known answer is another one",
    {},
    served(async ({ stage, pointer, expectAnswer }) => {
      await rested(stage);
      const questions = [{ name: serviceType, type: "PTR" }] as const;
      const known = query({ questions, answers: [pointer(4_500, `Other.${serviceType}`)] });
      await expectAnswer(await stage.peer.send(known), "PTR", serviceType);
    }),
  );

  requirement(
    27,
    "answers only the question that the known answer does not answer",
    { apple: ["II.11-14"], mirrors: ["NetX Duo mdns_multiple_questions_per_query"] },
    served(async ({ stage, pointer, expectAnswer, answersSince }) => {
      await rested(stage);
      const questions = [
        { name: serviceType, type: "PTR" },
        { name: `_lmserv._sub.${serviceType}`, type: "PTR" },
      ] as const;
      const sentMs = await stage.peer.send(query({ questions, answers: [pointer(4_500)] }));
      await expectAnswer(sentMs, "PTR", `_lmserv._sub.${serviceType}`);
      const names = answersSince(sentMs).flatMap(({ message }) => message.answers.map(({ name }) => name));
      expect(names).toEqual([`_lmserv._sub.${serviceType}`]);
    }),
  );

  requirement(
    27,
    "counts the known answers of packets that follow one with TC",
    {
      apple: ["II.10"],
      mirrors: ["python-zeroconf test_multi_packet_known_answer_supression", "OpenThread TestMultiPacket"],
    },
    served(async ({ stage, pointer, expectSilence, expectAnswer }) => {
      const truncated = query({
        flags: headerBits.truncated,
        questions: [{ name: serviceType, type: "PTR" }],
        answers: [pointer(4_500, `Other.${serviceType}`)],
      });
      await rested(stage);
      for (const ttl of [4_500, 2_250]) {
        await stage.peer.send(truncated);
        await expectSilence(await stage.peer.send(query({ answers: [pointer(ttl)] })));
      }
      await stage.peer.send(truncated);
      await expectAnswer(await stage.peer.send(query({ answers: [pointer(2_249)] })), "PTR", serviceType);
    }),
  );

  requirement(
    27,
    "does not count the known answers of another asker than the one with TC",
    {},
    served(async ({ stage, other, pointer, expectAnswer }) => {
      await rested(stage);
      const questions = [{ name: serviceType, type: "PTR" }] as const;
      const sentMs = await stage.peer.send(query({ flags: headerBits.truncated, questions }));
      await other.send(query({ answers: [pointer(4_500)] }));
      await expectAnswer(sentMs, "PTR", serviceType);
    }),
  );

  requirement(
    28,
    "does not answer when somebody else just said the same with as long a life, and does for a shorter one",
    { mirrors: ["NetX Duo mdns_duplicate_answer_suppression"] },
    served(async ({ stage, other, pointer, expectSilence, expectAnswer }) => {
      await rested(stage);
      const sentMs = await stage.peer.send(asksFor(serviceType));
      await other.send(response({ answers: [pointer(4_500)] }));
      await expectSilence(sentMs);
      const againMs = await stage.peer.send(asksFor(serviceType));
      await other.send(response({ answers: [pointer(4_000)] }));
      await expectAnswer(againMs, "PTR", serviceType);
    }),
  );

  requirement(
    43,
    "multicasts a record anew that somebody gives less than half its life, shared or unique",
    { mirrors: ["python-zeroconf test_guard_against_low_ptr_ttl"] },
    served(async ({ stage, service, other, pointer, location, expectSilence, expectAnswer }) => {
      await rested(stage);
      await expectSilence(await other.send(response({ answers: [pointer(2_250)] })));
      await expectAnswer(await other.send(response({ answers: [pointer(2_249)] })), "PTR", serviceType);
      await rested(stage);
      await expectAnswer(await other.send(response({ answers: [location(10)] })), "SRV", service.instance);
    }),
  );

  requirement(
    43,
    "contradicts a goodbye that somebody else says for it",
    {},
    served(async ({ stage, service, other, pointer, location, expectAnswer }) => {
      await rested(stage);
      await expectAnswer(await other.send(response({ answers: [pointer(0)] })), "PTR", serviceType);
      await rested(stage);
      await expectAnswer(await other.send(response({ answers: [location(0)] })), "SRV", service.instance);
    }),
  );
});
