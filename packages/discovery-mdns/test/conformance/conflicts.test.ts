import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, query, response } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { transitMs } from "../segment.ts";
import { announce, isAnnouncement, isMulticast, lastAnnouncement, quietService } from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { subject } from "../virtual/subject.ts";
import { answersWith } from "./delays.ts";
import { denial, isProbe, probedName, rivalProbe, rivalRecords } from "./rival.ts";

const wanted = `Chosen.${serviceType}`;
const second = `Chosen (2).${serviceType}`;

const nextProbe = ({ peer, host }: Stage, afterMs: number): Promise<Heard> =>
  peer.find(host.address, (heard) => isProbe(heard), { afterMs });

conformance("Conflicts after announcing", (requirement) => {
  for (const [what, records] of [
    ["SRV", rivalRecords(wanted).slice(0, 1)],
    ["TXT", rivalRecords(wanted).slice(1)],
  ] as const) {
    requirement(
      42,
      `probes for its old name first when somebody contradicts its ${what}, and keeps it if that was all`,
      { apple: ["II.6"], mirrors: ["OpenThread TestServiceConflict", "NetX Duo mdns_probing_conflict"] },
      staged(async (stage) => {
        const { peer, host } = stage;
        await announce(stage, { name: "Chosen" });
        const conflictMs = await peer.send(response({ answers: records }));
        const probe = await nextProbe(stage, conflictMs);
        expect(probedName(probe)).toBe(wanted);
        await peer.find(host.address, isAnnouncement, { afterMs: probe.tMs });
        const probes = peer.heard(host.address, conflictMs).filter((heard) => isProbe(heard));
        expect(probes.map(probedName)).toEqual([wanted, wanted, wanted]);
      }),
    );
  }

  requirement(
    42,
    "takes another name when the contradiction is repeated against its new probe",
    { apple: ["II.6"], mirrors: ["OpenThread TestServiceConflict"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await announce(stage, { name: "Chosen" });
      const conflictMs = await peer.send(denial(wanted));
      const probe = await nextProbe(stage, conflictMs);
      expect(probedName(probe)).toBe(wanted);
      const deniedMs = await peer.send(denial(wanted));
      expect(probedName(await nextProbe(stage, deniedMs))).toBe(second);
      const renamed = await peer.find(host.address, isAnnouncement, { afterMs: deniedMs });
      expect(answersWith("SRV", second)(renamed)).toBe(true);
    }),
  );

  requirement(
    42,
    "takes contradictions in the additional section for what they are",
    {},
    staged(async (stage) => {
      await announce(stage, { name: "Chosen" });
      const other = { type: "PTR", name: "_ipp._tcp.local", ttl: 4_500, data: wanted } as const;
      const conflictMs = await stage.peer.send(
        response({ answers: [other], additionals: rivalRecords(wanted) }),
      );
      expect(probedName(await nextProbe(stage, conflictMs))).toBe(wanted);
    }),
  );

  requirement(
    42,
    "takes equal records of another host for no conflict, and its own earlier ones neither",
    { mirrors: ["mdns-sd test_name_conflict_resolution"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      await running.announce("a", { port: 1 });
      // Its first announcement is still on its way back.
      await running.update("a", { port: 2 });
      const isLast = ({ message }: Heard): boolean => message.answers.some(({ port }) => port === 2);
      const changed = await peer.find(host.address, isLast);
      await peer.send(changed.payload);
      await peer.send(changed.payload, { to: `ff02::fb%${host.interface}` });
      await lastAnnouncement(stage);
      expect(peer.heard(host.address).filter(({ message }) => !message.response)).toEqual([]);
      expect(running.reports).toEqual([]);
    }),
  );

  requirement(
    42,
    "does not give up its host name when somebody contradicts an address",
    {
      apple: ["II.6"],
      deviates:
        "the host name has 80 random bits, so that only a broken reflector or an attacker contradicts it: it is defended, not probed for",
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      const service = await quietService(stage);
      const stranger = {
        type: "A",
        name: service.hostName,
        ttl: 120,
        flush: true,
        data: "10.77.0.99",
      } as const;
      const conflictMs = await peer.send(response({ answers: [stranger] }));
      const defence = await peer.find(host.address, answersWith("A", service.hostName), {
        afterMs: conflictMs,
      });
      expect(defence.tMs - conflictMs).toBe(transitMs);
      const addresses = defence.message.answers.filter((record) => record.type === "A");
      expect(addresses).toMatchObject([
        { address: "10.77.0.99", ttlS: 0 },
        { address: host.address, ttlS: 120, flush: true },
      ]);
      await stage.until(conflictMs + 2_500);
      const askedMs = await peer.send(query({ questions: [{ name: service.hostName, type: "A" }] }));
      const answer = await peer.find(host.address, answersWith("A", service.hostName), { afterMs: askedMs });
      expect(answer.message.answers).toMatchObject([{ type: "A", address: host.address, flush: true }]);
      expect(peer.heard(host.address, conflictMs).filter((heard) => isProbe(heard))).toEqual([]);
    }),
  );

  requirement(
    26,
    "defends its name in time against a probe that asks the group, even just after announcing it",
    { mirrors: ["mdns-sd issue 506", "OpenThread TestServiceReg"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await announce(stage, { name: "Chosen" });
      for (let round = 0; round < 3; round += 1) {
        const startMs = stage.nowMs();
        const probedMs = await peer.send(rivalProbe(wanted, rivalRecords(wanted, { flush: false })));
        const answer = await peer.find(host.address, answersWith("SRV", wanted), { afterMs: probedMs });
        expect(answer.tMs - probedMs).toBeLessThanOrEqual(255);
        expect(isMulticast(answer.dst)).toBe(true);
        await stage.until(startMs + 600);
      }
    }),
  );

  requirement(
    26,
    "repeats that defence after 250 ms at the earliest",
    {},
    staged(async (stage) => {
      const { peer, host } = stage;
      await quietService(stage, { name: "Chosen" });
      const startMs = await peer.send(rivalProbe(wanted, rivalRecords(wanted, { flush: false })));
      for (let atMs = startMs; atMs < startMs + 1_500; atMs += 50) {
        await stage.until(atMs);
        await peer.send(rivalProbe(wanted, rivalRecords(wanted, { flush: false })));
      }
      const times = peer
        .heard(host.address, startMs)
        .filter(answersWith("SRV", wanted))
        .map(({ tMs }) => tMs);
      expect(times.length).toBeGreaterThanOrEqual(3);
      const gaps = times.slice(1).map((tMs, index) => tMs - (times[index] ?? 0));
      expect(Math.min(...gaps)).toBe(255);
    }),
  );

  requirement(
    26,
    "defends its name at once against a probe that asks for a unicast answer",
    {},
    staged(async (stage) => {
      const { peer, host } = stage;
      await announce(stage, { name: "Chosen" });
      const probe = query({
        questions: [{ name: wanted, type: "ANY", unicast: true }],
        authorities: rivalRecords(wanted, { flush: false }),
      });
      const probedMs = await peer.send(probe);
      const answer = await peer.find(host.address, answersWith("SRV", wanted), { afterMs: probedMs });
      expect(answer.dst).toBe(peer.host.address);
      expect(answer.tMs - probedMs).toBe(transitMs);
    }),
  );

  for (const restMs of [0, 10_000]) {
    requirement(
      36,
      `gives up a name that a second host of ours has announced ${restMs / 1_000} s before`,
      { apple: ["II.2"] },
      staged(async (stage) => {
        const { peer, host, third } = stage;
        await announce(stage, { name: "Chosen", port: 8_001 }, third);
        const owned = await peer.find(third.address, isAnnouncement);
        await stage.until(owned.tMs + restMs);
        await announce(stage, { name: "Chosen" });
        const [taken] = peer.heard(host.address).filter(isAnnouncement);
        expect(taken && answersWith("SRV", second)(taken)).toBe(true);
        const probesOfOwner = peer.heard(third.address, owned.tMs).filter((heard) => isProbe(heard));
        expect(probesOfOwner).toEqual([]);
      }),
    );
  }

  requirement(
    36,
    "asks its probe as QM when another program has port 5353, so that it hears the answer",
    {},
    staged(async (stage) => {
      const { peer, host } = stage;
      stage.segment.exclusive = false;
      const startMs = stage.nowMs();
      await announce(stage, { name: "Chosen" });
      const probes = peer.heard(host.address, startMs).filter((heard) => isProbe(heard));
      expect(probes.map(({ message }) => message.questions[0]?.unicast)).toEqual([false, false, false]);
    }),
  );
});
