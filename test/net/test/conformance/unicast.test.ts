import { afterAll, beforeAll, expect } from "vitest";
import { conformance, inTurn } from "../../src/conformance/lan.ts";
import {
  type Tapped as Heard,
  itemsOf,
  nameInData,
  query,
  type RawPeer,
  rawPeer,
} from "../../src/raw-peer/index.ts";
import { lmserv } from "../discovery/command.ts";
import { answersWith, asksFor } from "./delays.ts";
import { faultsOf } from "./lawful.ts";
import {
  closeStage,
  isAnnouncement,
  isMulticast,
  nowMs,
  openStage,
  quietService,
  rested,
  type Service,
  type Stage,
  serviceType,
  staged,
  until,
} from "./stage.ts";

/** A subnet that lies over the same link (RFC 6762 section 11). */
const overlaid = "192.0.2.9";

conformance("Answers to one host", (requirement) => {
  inTurn("of one service", (requirement) => {
    let stage: Stage;
    let service: Service;
    /** Has an address of another subnet beside its own. */
    let far: RawPeer;

    beforeAll(async () => {
      stage = await openStage();
      const { host, third } = stage;
      await third.run(["ip", "addr", "add", `${overlaid}/24`, "dev", "eth0"]);
      await host.run(["ip", "route", "add", "192.0.2.0/24", "dev", "eth0"]);
      far = await rawPeer(third);
      service = await quietService(stage, "--info", "Conform");
    });
    afterAll(() => closeStage(stage));

    const isDirect = ({ dst, message }: Heard): boolean => message.response && !isMulticast(dst);
    const location = (): { name: string; type: "SRV" } => ({ name: service.instance, type: "SRV" });
    const heard = (fits: (heard: Heard) => boolean, afterMs: number): readonly Heard[] =>
      stage.peer.heard(stage.host.address, afterMs).filter(fits);

    requirement(
      29,
      "answers a QU question at once to the asker alone when the link heard the record lately",
      {
        mirrors: ["python-zeroconf test_qu_response", "OpenThread TestQuery", "matter.js MdnsServerTest"],
      },
      async (note) => {
        await rested(stage);
        const { peer, host } = stage;
        const askedMs = await peer.send(query({ questions: [{ ...location(), unicast: true }] }));
        const answer = await peer.find(host.address, isDirect, { afterMs: askedMs });
        note(`after ${(answer.tMs - askedMs).toFixed(1)} ms`);
        expect(answer).toMatchObject({ dst: peer.host.address, dport: 5353, sport: 5353 });
        expect(answer.message).toMatchObject({
          id: 0,
          questions: [],
          answers: [{ type: "SRV", flush: true }],
        });
        const openMs = await peer.send(asksFor(serviceType));
        await peer.find(host.address, answersWith("PTR", serviceType), { afterMs: openMs });
        const open = heard(({ dst }) => isMulticast(dst), askedMs).filter(
          answersWith("SRV", service.instance),
        );
        expect(open).toEqual([]);
      },
    );

    requirement(
      29,
      "answers a QU question with the asker's known answers left out",
      { mirrors: ["python-zeroconf test_qu_response_only_sends_additionals_if_sends_answer"] },
      async () => {
        await rested(stage);
        const { peer, host } = stage;
        const known = { type: "PTR", name: serviceType, ttl: 4_500, data: service.instance } as const;
        const questions = [{ name: serviceType, type: "PTR", unicast: true }] as const;
        const askedMs = await peer.send(query({ questions, answers: [known] }));
        const againMs = await peer.send(query({ questions: [{ ...location(), unicast: true }] }));
        await peer.find(host.address, isDirect, { afterMs: againMs });
        expect(heard(isDirect, askedMs).flatMap(({ message }) => message.answers)).toMatchObject([
          { type: "SRV" },
        ]);
      },
    );

    requirement(29, "answers a QU question from another subnet by multicast", {}, async () => {
      await rested(stage);
      const payload = query({ questions: [{ ...location(), unicast: true }] });
      const askedMs = await far.send(payload, { from: overlaid });
      const answer = await stage.peer.find(stage.host.address, answersWith("SRV", service.instance), {
        afterMs: askedMs,
      });
      expect(answer.dst).toBe("224.0.0.251");
      const direct = far.heard(stage.host.address, askedMs).filter(({ dst }) => dst === overlaid);
      expect(direct).toEqual([]);
    });

    requirement(
      32,
      "answers an ordinary resolver: its ID and question, from port 5353 to its port, TTLs of 10 s, no flush bit",
      {
        apple: ["III.3"],
        mirrors: ["OpenThread TestLegacyUnicastResponse", "python-zeroconf test_unicast_response"],
      },
      async () => {
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
      },
    );

    requirement(
      32,
      "does not answer an ordinary resolver by multicast too",
      { mirrors: ["OpenThread TestQuestionUnicastDisallowed"] },
      async () => {
        await rested(stage);
        const { peer, host } = stage;
        const askedMs = await peer.send(query({ id: 7, questions: [location()] }), { fromPort: 40_003 });
        await peer.find(host.address, isDirect, { afterMs: askedMs });
        const openMs = await peer.send(asksFor(serviceType));
        await peer.find(host.address, answersWith("PTR", serviceType), { afterMs: openMs });
        expect(
          heard(({ dst }) => isMulticast(dst), askedMs).filter(answersWith("SRV", service.instance)),
        ).toEqual([]);
      },
    );

    requirement(8, "does not compress SRV targets for ordinary resolvers", {}, async () => {
      const { peer, host } = stage;
      const askedMs = await peer.send(query({ id: 8, questions: [location()] }), { fromPort: 40_004 });
      const { payload } = await peer.find(host.address, isDirect, { afterMs: askedMs });
      const targets = itemsOf(payload).filter(({ type, section }) => type === 33 && section !== "question");
      expect(targets.map((item) => nameInData(payload, item)?.compressed)).toEqual([false]);
    });

    requirement(32, "answers no ordinary resolver of another subnet", {}, async () => {
      const askedMs = await far.send(query({ id: 9, questions: [location()] }), {
        from: overlaid,
        fromPort: 40_005,
      });
      const { peer, host } = stage;
      const nearMs = await peer.send(query({ id: 9, questions: [location()] }), { fromPort: 40_005 });
      await peer.find(host.address, isDirect, { afterMs: nearMs });
      expect(far.heard(host.address, askedMs).filter(({ dst }) => dst === overlaid)).toEqual([]);
    });

    requirement(30, "ignores a unicast question from off the link", {}, async () => {
      const { host, peer } = stage;
      const payload = query({ questions: [location()] });
      const askedMs = await far.send(payload, { to: host.address, from: overlaid });
      await far.send(query({ id: 2, questions: [location()] }), {
        to: host.address,
        from: overlaid,
        fromPort: 40_006,
      });
      const nearMs = await peer.send(query({ id: 9, questions: [location()] }), { fromPort: 40_006 });
      await peer.find(host.address, isDirect, { afterMs: nearMs });
      expect(far.heard(host.address, askedMs).filter(({ dst }) => dst === overlaid)).toEqual([]);
    });

    requirement(
      30,
      "ignores unicast questions of its own link, too",
      {
        deviates:
          "the sockets are bound to the group, so that nothing from off the link reaches them and no unicast is taken from another mDNS stack of the host; queriers that ask by unicast only are rare",
      },
      async () => {
        const { host, peer } = stage;
        const askedMs = await peer.send(query({ questions: [location()] }), { to: host.address });
        const groupMs = await peer.send(query({ id: 9, questions: [location()] }), { fromPort: 40_007 });
        await peer.find(host.address, ({ dport }) => dport === 40_007, { afterMs: groupMs });
        expect(heard(({ dport }) => dport === 5353, askedMs)).toEqual([]);
      },
    );

    requirement(32, "sends nothing but lawful packets all the while", { apple: ["II.*"] }, async () => {
      expect(faultsOf(stage.peer, stage.host)).toEqual([]);
    });
  });

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
          await host.run(["ip", "addr", "flush", "dev", "eth0", "scope", "global"]);
          await host.run(["ip", "addr", "add", `${ours}/16`, "dev", "eth0"]);
        }
        await peer.host.run(["ip", "addr", "add", `${theirs}/16`, "dev", "eth0"]);
        await host.spawn(lmserv("announce", "--port", "8000", "--no-check"));
        const { message } = await peer.find(ours, isAnnouncement);
        expect(message.answers.flatMap(({ type, address = "" }) => (type === "A" ? [address] : []))).toEqual([
          ours,
        ]);
        const instance = message.answers.find(({ type }) => type === "SRV")?.name ?? "";
        await until(nowMs() + 1_100);
        const askedMs = await peer.send(query({ questions: [{ name: instance, type: "TXT" }] }), {
          from: theirs,
        });
        await peer.find(ours, answersWith("TXT", instance), { afterMs: askedMs });
      }),
    );
  }

  requirement(
    12,
    "shares port 5353 with another program on its host: both announce and both answer",
    {},
    staged(async (stage) => {
      const { host, peer } = stage;
      // A foreign program holds the port, and two commands of ours come to it.
      const foreign = await rawPeer(host);
      await foreign.send(asksFor("_foreign._tcp.local"));
      for (const [port, info] of ["first", "second"].entries()) {
        const announcer = await host.spawn(
          lmserv("announce", "--port", `${8_000 + port}`, "--no-check", "--info", info),
        );
        await announcer.stderrLine((line) => line.includes("announced "));
      }
      const askedMs = await peer.send(query({ id: 3, questions: [{ name: serviceType, type: "PTR" }] }), {
        fromPort: 40_008,
      });
      for (const info of ["first", "second"]) {
        const isAnswer = ({ dport, message }: Heard): boolean =>
          dport === 40_008 && message.answers.some(({ target = "" }) => target.startsWith(info));
        await peer.find(host.address, isAnswer, { afterMs: askedMs });
      }
    }),
  );
});
