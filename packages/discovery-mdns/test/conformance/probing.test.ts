import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, query, response } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { transitMs } from "../segment.ts";
import type { VirtualPeer } from "../virtual/peer.ts";
import { isAnnouncement, startAnnouncing } from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { answersWith } from "./delays.ts";
import { asSent, denial, isProbe, probedName, rivalProbe } from "./rival.ts";

const wanted = `Chosen.${serviceType}`;
const second = `Chosen (2).${serviceType}`;

/** Starts to announce under a chosen name, which needs probing. */
async function claim(stage: Stage, name = "Chosen"): Promise<void> {
  await startAnnouncing(stage, { name, info: "mine" });
}

const nextProbe = ({ peer, host }: Stage, afterMs?: number, instance?: string): Promise<Heard> =>
  peer.find(host.address, (heard) => isProbe(heard, instance), afterMs === undefined ? {} : { afterMs });

const announcementOf = ({ peer, host }: Stage, instance: string, afterMs = 0): Promise<Heard> =>
  peer.find(host.address, (heard) => isAnnouncement(heard) && answersWith("SRV", instance)(heard), {
    afterMs,
  });

const probesFor = (peer: VirtualPeer, from: string, instance: string, afterMs?: number): readonly Heard[] =>
  peer.heard(from, afterMs).filter((heard) => isProbe(heard, instance));

function gapsBetween(packets: readonly Heard[]): number[] {
  return packets.slice(1).map(({ tMs }, index) => tMs - (packets[index]?.tMs ?? 0));
}

conformance("Probing", (requirement) => {
  requirement(
    37,
    "waits 5 s before each attempt after 15 conflicts in a row",
    { apple: ["II.3"], mirrors: ["OpenThread TestServiceConflict"] },
    staged(async (stage) => {
      const { peer } = stage;
      await claim(stage);
      let afterMs = 0;
      const attempts: number[] = [];
      for (let conflict = 1; conflict <= 18; conflict += 1) {
        const probe = await nextProbe(stage, afterMs);
        attempts.push(probe.tMs);
        // Sent in turns with and without flush bit, as an owner of the name.
        afterMs = await peer.send(denial(probedName(probe), { flush: conflict % 2 === 0 }));
      }
      const gaps = attempts.slice(1).map((tMs, index) => tMs - (attempts[index] ?? 0));
      expect(Math.max(...gaps.slice(0, 13))).toBeLessThanOrEqual(250 + transitMs);
      expect(Math.min(...gaps.slice(14))).toBeGreaterThanOrEqual(5_000);
      expect(Math.max(...gaps.slice(14))).toBeLessThanOrEqual(5_250 + transitMs);
    }),
  );

  requirement(
    36,
    "probes three times, 250 ms apart, type ANY, SRV and TXT in Authority, then announces",
    { apple: ["II.1", "II.5"], mirrors: ["OpenThread TestServiceReg"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await claim(stage);
      const announced = await announcementOf(stage, wanted);
      const packets = peer.heard(host.address).filter(({ tMs }) => tMs <= announced.tMs);
      expect(packets.map((heard) => isProbe(heard, wanted))).toEqual([true, true, true, false]);
      expect(gapsBetween(packets)).toEqual([250, 250, 250]);
      for (const { message } of packets.slice(0, 3)) {
        expect(message).toMatchObject({ flags: 0, id: 0, answers: [], additionals: [] });
        expect(message.authorities).toMatchObject([
          { type: "SRV", name: wanted, port: 8000, flush: false },
          { type: "TXT", name: wanted, flush: false },
        ]);
      }
    }),
  );

  requirement(
    36,
    "answers no question for a name that it is still probing for",
    { mirrors: ["NetX Duo mdns_query_during_probing"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await claim(stage);
      const { tMs } = await nextProbe(stage);
      await peer.send(query({ questions: [{ name: wanted, type: "SRV" }] }));
      await peer.send(query({ questions: [{ name: serviceType, type: "PTR" }] }));
      const announced = await announcementOf(stage, wanted);
      const early = peer
        .heard(host.address, tMs)
        .filter((one) => one.message.response && one.tMs < announced.tMs);
      expect(early).toEqual([]);
    }),
  );

  requirement(
    42,
    "takes another name when its probe is denied, with or without flush bit, in whatever case, and probes again",
    {
      apple: ["II.2", "II.3", "II.5"],
      mirrors: [
        "NetX Duo mdns_probing_conflict",
        "OpenThread TestServiceConflict",
        "python-zeroconf test_name_conflicts",
      ],
    },
    staged(async (stage) => {
      const { peer } = stage;
      await claim(stage);
      let probe = await nextProbe(stage);
      const denials = [
        denial(wanted),
        denial(second, { flush: false }),
        denial(`Chosen (3).${serviceType}`.toUpperCase().replace("LOCAL", "local")),
      ];
      for (const [index, payload] of denials.entries()) {
        const deniedMs = await peer.send(payload);
        probe = await nextProbe(stage, deniedMs, `Chosen (${index + 2}).${serviceType}`);
      }
      const announced = await announcementOf(stage, probedName(probe));
      expect(probesFor(peer, stage.host.address, probedName(probe))).toHaveLength(3);
      expect(peer.heard(stage.host.address).filter(isAnnouncement)[0]).toEqual(announced);
    }),
  );

  requirement(
    42,
    "takes equal records and goodbyes of another host for no conflict",
    {},
    staged(async (stage) => {
      const { peer } = stage;
      await claim(stage);
      const { message } = await nextProbe(stage);
      await peer.send(response({ answers: message.authorities.map(asSent) }));
      const gone = message.authorities.map((record) => ({ ...asSent(record), ttl: 0 }));
      await peer.send(response({ answers: gone }));
      await announcementOf(stage, wanted);
      expect(probesFor(peer, stage.host.address, wanted)).toHaveLength(3);
    }),
  );

  requirement(
    39,
    "gives way to a simultaneous probe with later data: waits a second, then probes for the same name again",
    {
      apple: ["II.2", "II.5"],
      mirrors: ["mdns-sd test_name_tiebreaking", "ciao tiebreaking.spec"],
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      await claim(stage);
      const probe = await nextProbe(stage);
      const [srv, txt] = probe.message.authorities.map(asSent);
      if (srv?.type !== "SRV" || !txt) throw new TypeError("a probe without SRV and TXT");
      // 40000 is later than 8000 only if the bytes count as unsigned.
      const later = [{ ...srv, data: { ...srv.data, port: 40_000 } }, txt];
      const lostMs = await peer.send(rivalProbe(wanted, later));
      const again = await nextProbe(stage, lostMs);
      expect(probedName(again)).toBe(wanted);
      expect(again.tMs - lostMs).toBeGreaterThanOrEqual(1_000);
      expect(again.tMs - lostMs).toBeLessThanOrEqual(1_250 + transitMs);
      await announcementOf(stage, wanted, again.tMs);
      expect(probesFor(peer, host.address, wanted, lostMs)).toHaveLength(3);
    }),
  );

  requirement(
    39,
    "goes on probing when its own data are later, or the same",
    { apple: ["II.4"], mirrors: ["mdns-sd test_name_tiebreaking"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await claim(stage);
      const first = await nextProbe(stage);
      const [srv, txt] = first.message.authorities.map(asSent);
      if (srv?.type !== "SRV" || !txt) throw new TypeError("a probe without SRV and TXT");
      await peer.send(rivalProbe(wanted, [{ ...srv, data: { ...srv.data, port: 7_999 } }, txt]));
      await peer.send(rivalProbe(wanted, [txt, srv]));
      await peer.send(rivalProbe(wanted, [txt]));
      await peer.send(rivalProbe(wanted, [{ type: "A", name: wanted, ttl: 120, data: "255.255.255.255" }]));
      await announcementOf(stage, wanted);
      const probes = probesFor(peer, host.address, wanted);
      expect(probes).toHaveLength(3);
      expect(gapsBetween(probes)).toEqual([250, 250]);
    }),
  );

  requirement(
    39,
    "compares names uncompressed: a pointer is no later than a label",
    {},
    staged(async (stage) => {
      const { peer, host } = stage;
      await claim(stage);
      const [srv, txt] = (await nextProbe(stage)).message.authorities.map(asSent);
      if (srv?.type !== "SRV" || !txt) throw new TypeError("a probe without SRV and TXT");
      // A target that is earlier than ours as labels ("a" is one byte long), and later as the pointer 0xc0.
      const named = query({
        questions: [
          { name: "a.local", type: "A" },
          { name: wanted, type: "ANY" },
        ],
        authorities: [txt],
      });
      const owner = query({ questions: [{ name: wanted, type: "ANY" }] }).subarray(12, -4);
      const { port } = srv.data;
      const record = [0, 33, 0, 1, 0, 0, 0, 120, 0, 8, 0, 0, 0, 0, port >> 8, port & 0xff, 0xc0, 12];
      const packet = Buffer.concat([named, owner, Buffer.from(record)]);
      packet.writeUInt16BE(2, 8);
      await peer.send(packet);
      await announcementOf(stage, wanted);
      expect(probesFor(peer, host.address, wanted)).toHaveLength(3);
    }),
  );

  requirement(
    37,
    "calls itself (2), (3) and so on, within 63 bytes, and never cuts a character",
    { mirrors: ["python-zeroconf test_name_conflicts"] },
    staged(async (stage) => {
      const { peer } = stage;
      const label = `${"ä".repeat(31)}x`;
      await claim(stage, label);
      const probe = await nextProbe(stage);
      expect(probedName(probe)).toBe(`${label}.${serviceType}`);
      const deniedMs = await peer.send(denial(probedName(probe)));
      const again = await nextProbe(stage, deniedMs);
      expect(probedName(again)).toBe(`${"ä".repeat(29)} (2).${serviceType}`);
    }),
  );
});
