import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, itemsOf, nameInData, query } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { transitMs } from "../segment.ts";
import type { VirtualPeer } from "../virtual/peer.ts";
import {
  isAnnouncement,
  isMulticast,
  quietService,
  rested,
  type Service,
  startAnnouncing,
} from "../virtual/service.ts";
import { peerOn, type Stage, serviceType, staged } from "../virtual/stage.ts";
import { answersWith, asksFor } from "./delays.ts";

/** A subnet that lies over the same link (RFC 6762 section 11). */
const overlaid = "192.0.2.9";

interface Scene {
  readonly stage: Stage;
  readonly service: Service;
  /** Peer with an address of another subnet. */
  readonly far: VirtualPeer;
  readonly location: { readonly name: string; readonly type: "SRV" };
  /** Packets of the host that fit. */
  readonly heard: (fits: (heard: Heard) => boolean, afterMs: number) => readonly Heard[];
}

function served(play: (scene: Scene) => Promise<void>): () => Promise<void> {
  return staged(async (stage) => {
    const service = await quietService(stage);
    const far = peerOn(stage, stage.third);
    const location: Scene["location"] = { name: service.instance, type: "SRV" };
    const heard: Scene["heard"] = (fits, afterMs) =>
      stage.peer.heard(stage.host.address, afterMs).filter(fits);
    await play({ stage, service, far, location, heard });
  });
}

const isDirect = ({ dst, message }: Heard): boolean => message.response && !isMulticast(dst);

conformance("Answers to one host", (requirement) => {
  requirement(
    29,
    "answers a QU question at once to the asker alone when the link heard the record recently",
    {
      mirrors: ["python-zeroconf test_qu_response", "OpenThread TestQuery", "matter.js MdnsServerTest"],
    },
    served(async ({ stage, service, heard, location }) => {
      await rested(stage);
      const { peer, host } = stage;
      const askedMs = await peer.send(query({ questions: [{ ...location, unicast: true }] }));
      const answer = await peer.find(host.address, isDirect, { afterMs: askedMs });
      expect(answer.tMs - askedMs).toBe(transitMs);
      expect(answer).toMatchObject({ dst: peer.host.address, dport: 5353, sport: 5353 });
      expect(answer.message).toMatchObject({
        id: 0,
        questions: [],
        answers: [{ type: "SRV", flush: true }],
      });
      const openMs = await peer.send(asksFor(serviceType));
      await peer.find(host.address, answersWith("PTR", serviceType), { afterMs: openMs });
      const open = heard(({ dst }) => isMulticast(dst), askedMs).filter(answersWith("SRV", service.instance));
      expect(open).toEqual([]);
    }),
  );

  requirement(
    29,
    "answers a QU question with the asker's known answers left out",
    { mirrors: ["python-zeroconf test_qu_response_only_sends_additionals_if_sends_answer"] },
    served(async ({ stage, service, heard, location }) => {
      await rested(stage);
      const { peer, host } = stage;
      const known = { type: "PTR", name: serviceType, ttl: 4_500, data: service.instance } as const;
      const questions = [{ name: serviceType, type: "PTR", unicast: true }] as const;
      const askedMs = await peer.send(query({ questions, answers: [known] }));
      const againMs = await peer.send(query({ questions: [{ ...location, unicast: true }] }));
      await peer.find(host.address, isDirect, { afterMs: againMs });
      expect(heard(isDirect, askedMs).flatMap(({ message }) => message.answers)).toMatchObject([
        { type: "SRV" },
      ]);
    }),
  );

  requirement(
    29,
    "answers a QU question from another subnet by multicast",
    {},
    served(async ({ stage, service, far, location }) => {
      await rested(stage);
      const payload = query({ questions: [{ ...location, unicast: true }] });
      const askedMs = await far.send(payload, { from: overlaid });
      const answer = await stage.peer.find(stage.host.address, answersWith("SRV", service.instance), {
        afterMs: askedMs,
      });
      expect(answer.dst).toBe("224.0.0.251");
      const direct = far.heard(stage.host.address, askedMs).filter(({ dst }) => dst === overlaid);
      expect(direct).toEqual([]);
    }),
  );

  requirement(
    32,
    "answers an ordinary resolver: its ID and question, from port 5353 to its port, TTLs of 10 s, no flush bit",
    {
      apple: ["III.3"],
      mirrors: ["OpenThread TestLegacyUnicastResponse", "python-zeroconf test_unicast_response"],
    },
    served(async ({ stage, service }) => {
      const { peer, host } = stage;
      const { instance, hostName } = service;
      for (const [name, type] of [
        [serviceType, "PTR"],
        [instance, "SRV"],
        [instance, "TXT"],
        [hostName, "A"],
        [instance, "ANY"],
      ] as const) {
        const askedMs = await peer.send(query({ id: 0x4711, questions: [{ name, type }] }), {
          fromPort: 40_002,
        });
        const { message, ...answer } = await peer.find(host.address, isDirect, { afterMs: askedMs });
        expect(answer).toMatchObject({ sport: 5353, dst: peer.host.address, dport: 40_002 });
        expect(message).toMatchObject({ id: 0x4711, questions: [{ name, type, unicast: false }] });
        const records = [...message.answers, ...message.additionals];
        expect(records.length).toBeGreaterThan(0);
        expect(records.filter(({ ttlS, flush }) => ttlS > 10 || ttlS === 0 || flush)).toEqual([]);
      }
    }),
  );

  requirement(
    32,
    "does not answer an ordinary resolver by multicast too",
    { mirrors: ["OpenThread TestQuestionUnicastDisallowed"] },
    served(async ({ stage, service, location, heard }) => {
      await rested(stage);
      const { peer, host } = stage;
      const askedMs = await peer.send(query({ id: 7, questions: [location] }), { fromPort: 40_003 });
      await peer.find(host.address, isDirect, { afterMs: askedMs });
      const openMs = await peer.send(asksFor(serviceType));
      await peer.find(host.address, answersWith("PTR", serviceType), { afterMs: openMs });
      expect(
        heard(({ dst }) => isMulticast(dst), askedMs).filter(answersWith("SRV", service.instance)),
      ).toEqual([]);
    }),
  );

  requirement(
    8,
    "does not compress SRV targets for ordinary resolvers",
    {},
    served(async ({ stage, location }) => {
      const { peer, host } = stage;
      const askedMs = await peer.send(query({ id: 8, questions: [location] }), { fromPort: 40_004 });
      const { payload } = await peer.find(host.address, isDirect, { afterMs: askedMs });
      const targets = itemsOf(payload).filter(({ type, section }) => type === 33 && section !== "question");
      expect(targets.map((item) => nameInData(payload, item)?.compressed)).toEqual([false]);
    }),
  );

  requirement(
    32,
    "answers no ordinary resolver of another subnet",
    {},
    served(async ({ stage, far, location }) => {
      const askedMs = await far.send(query({ id: 9, questions: [location] }), {
        from: overlaid,
        fromPort: 40_005,
      });
      const { peer, host } = stage;
      const nearMs = await peer.send(query({ id: 9, questions: [location] }), { fromPort: 40_005 });
      await peer.find(host.address, isDirect, { afterMs: nearMs });
      expect(far.heard(host.address, askedMs).filter(({ dst }) => dst === overlaid)).toEqual([]);
    }),
  );

  for (const [ours, theirs] of [
    ["10.77.0.1", "169.254.7.7"],
    ["169.254.7.1", "17.2.3.4"],
  ] as const) {
    requirement(
      29,
      `answers from ${ours} what ${theirs} asks of the group`,
      { apple: ["III.1-2"], mirrors: ["NetX Duo netx_mdns_source_address"] },
      staged(async (stage) => {
        const { host, peer } = stage;
        if (ours !== host.address) {
          host.removeAddress(host.address);
          host.addAddress(ours, 16);
        }
        await startAnnouncing(stage);
        const { message } = await peer.find(ours, isAnnouncement);
        expect(message.answers.flatMap(({ type, address = "" }) => (type === "A" ? [address] : []))).toEqual([
          ours,
        ]);
        const instance = message.answers.find(({ type }) => type === "SRV")?.name ?? "";
        await stage.until(stage.nowMs() + 1_100);
        const askedMs = await peer.send(query({ questions: [{ name: instance, type: "TXT" }] }), {
          from: theirs,
        });
        await peer.find(ours, answersWith("TXT", instance), { afterMs: askedMs });
      }),
    );
  }
});
