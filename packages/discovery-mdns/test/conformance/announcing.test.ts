import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, query } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import {
  announce,
  announced,
  isAnnouncement,
  isMulticast,
  lastAnnouncement,
  multicasts,
  quietService,
  startAnnouncing,
} from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { subject } from "../virtual/subject.ts";
import { answersWith } from "./delays.ts";
import { denial, isProbe, probedName } from "./rival.ts";

const wanted = `Chosen.${serviceType}`;

const goodbyesOf = ({ peer, host }: Stage, afterMs: number): readonly Heard[] =>
  multicasts(peer, host, afterMs).filter(({ message }) => message.answers.some(({ ttlS }) => ttlS === 0));

const gapsBetween = (packets: readonly Heard[]): number[] =>
  packets.slice(1).map(({ tMs }, index) => tMs - (packets[index]?.tMs ?? 0));

conformance("Announcing", (requirement) => {
  requirement(
    40,
    "announces four times, 1, 2 and 4 s apart, and then no more",
    {
      apple: ["II.4", "II.5", "III.4"],
      mirrors: [
        "NetX Duo netx_mdns_announcement_repeat",
        "NetX Duo mdns_server_announcement_with_txt",
        "OpenThread TestServiceReg",
      ],
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      await announce(stage);
      await lastAnnouncement(stage);
      await stage.until(stage.nowMs() + 20_000);
      const packets = multicasts(peer, host);
      expect(packets.every(isAnnouncement)).toBe(true);
      // 10 ms more than RFC 6762 asks for, so that no timer falls short.
      expect(gapsBetween(packets)).toEqual([1_010, 2_010, 4_010]);
    }),
  );

  requirement(
    38,
    "announces a name of 80 random bits at once, without a probe",
    {},
    staged(async (stage) => {
      const { instance, hostName } = await announce(stage, { info: "box" });
      expect(instance).toMatch(/^box-[0-9a-f]{20}\._lmserv\._tcp\.local$/);
      expect(hostName).toMatch(/^lmserv-[0-9a-f]{20}\.local$/);
      const packets = stage.peer.heard(stage.host.address);
      expect(packets.filter(({ message }) => !message.response)).toEqual([]);
    }),
  );

  requirement(
    45,
    "says goodbye with TTL 0 for all it announced",
    {
      mirrors: [
        "NetX Duo mdns_server_send_goodbye",
        "OpenThread TestServiceReg",
        "python-zeroconf test_goodbye_all_services",
      ],
    },
    staged(async (stage) => {
      const service = await announce(stage, { server: "ollama" });
      const startMs = stage.nowMs() - 1;
      await service.stop();
      const [first] = goodbyesOf(stage, startMs);
      expect(first?.message.answers.map(({ type, ttlS }) => [type, ttlS])).toEqual([
        ["PTR", 0],
        ["PTR", 0],
        ["SRV", 0],
        ["TXT", 0],
        ["A", 0],
        ["AAAA", 0],
      ]);
      expect(first?.message.answers.every(({ name }) => name !== "_services._dns-sd._udp.local")).toBe(true);
    }),
  );

  requirement(
    26,
    "says goodbye three times, 125 ms apart",
    {
      deviates:
        "one goodbye may get lost, and a second apart three would make every shutdown wait two seconds; Apple's responder repeats them too",
    },
    staged(async (stage) => {
      const service = await announce(stage);
      const startMs = stage.nowMs() - 1;
      await service.stop();
      const goodbyes = goodbyesOf(stage, startMs);
      expect(gapsBetween(goodbyes)).toEqual([125, 125]);
    }),
  );

  requirement(
    35,
    "announces anew when its link comes back",
    { apple: ["II.17"], mirrors: ["NetX Duo mdns_server_interface_reset"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const { instance } = await announce(stage);
      host.cut();
      await stage.until(stage.nowMs() + 3_500);
      const healedMs = stage.nowMs();
      host.heal();
      const again = await peer.find(host.address, isAnnouncement, { afterMs: healedMs });
      expect(answersWith("SRV", instance)(again)).toBe(true);
    }),
  );

  requirement(
    35,
    "probes for a chosen name anew when its link comes back, and gives it up if somebody took it meanwhile",
    { apple: ["II.17"], mirrors: ["NetX Duo mdns_server_interface_reset"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await announce(stage, { name: "Chosen" });
      host.cut();
      await stage.until(stage.nowMs() + 3_500);
      const healedMs = stage.nowMs();
      host.heal();
      const probe = await peer.find(host.address, isProbe, { afterMs: healedMs });
      expect(probedName(probe)).toBe(wanted);
      const deniedMs = await peer.send(denial(wanted));
      const renamed = await peer.find(host.address, isAnnouncement, { afterMs: deniedMs });
      expect(answersWith("SRV", `Chosen (2).${serviceType}`)(renamed)).toBe(true);
      const early = peer.heard(host.address, healedMs).filter(answersWith("SRV", wanted));
      expect(early).toEqual([]);
    }),
  );

  requirement(
    35,
    "announces a new address with all others of its interface, and leaves one out that went",
    { mirrors: ["NetX Duo mdns_address_change", "mdns-sd service_with_named_interface_only"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      await announce(stage);
      const addresses = ({ message }: Heard): (string | undefined)[] =>
        message.answers.filter(({ type }) => type === "A").map(({ address }) => address);
      host.addAddress("10.77.0.101");
      await peer.find(host.address, (heard) => isAnnouncement(heard) && addresses(heard).length === 2);
      const goneMs = stage.nowMs();
      host.removeAddress("10.77.0.101");
      const only = (heard: Heard): boolean => isAnnouncement(heard) && addresses(heard).length === 1;
      await peer.find(host.address, only, { afterMs: goneMs });
    }),
  );

  requirement(
    33,
    "gives all addresses of the interface that was asked, and none of another",
    { mirrors: ["python-zeroconf test_a_and_aaaa_record_fate_sharing", "NetX Duo netx_mdns_interface"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      host.addInterface("guests", "192.168.77.1");
      host.addAddress("10.77.0.101");
      const { hostName } = await announce(stage);
      const askedMs = await peer.send(query({ id: 1, questions: [{ name: hostName, type: "ANY" }] }), {
        fromPort: 40_000,
      });
      const { message } = await peer.find(host.address, ({ dport }) => dport === 40_000, {
        afterMs: askedMs,
      });
      expect(message.answers.map(({ address }) => address)).toEqual([
        host.address,
        "10.77.0.101",
        host.linkLocal,
      ]);
      const named = multicasts(peer, host).flatMap((heard) =>
        heard.message.answers.flatMap(({ address = [] }) => address),
      );
      expect(named).not.toContain("192.168.77.1");
    }),
  );

  requirement(
    41,
    "announces changed TXT and SRV at once under the same name, with the flush bit and without a goodbye",
    {
      mirrors: ["NetX Duo netx_mdns_peer_service_change_notify", "OpenThread TestServiceReg"],
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      await running.announce("a", { port: 1, info: "before" });
      const { instance } = await announced(peer, host);
      const startMs = stage.nowMs();
      await stage.until(startMs + 1);
      await running.update("a", { port: 2, info: "after" });
      const changed = await peer.find(host.address, answersWith("SRV", instance), { afterMs: startMs });
      expect(changed.tMs).toBe(startMs + 1);
      expect(changed.message.answers).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: "SRV", name: instance, port: 2, flush: true }),
          expect.objectContaining({
            type: "TXT",
            name: instance,
            flush: true,
            strings: expect.arrayContaining(["info=after"]),
          }),
        ]),
      );
      expect(goodbyesOf(stage, startMs)).toEqual([]);
    }),
  );

  requirement(
    41,
    "announces the latest of what changed while it was probing",
    {},
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      const announcing = running.announce("a", { port: 1, name: "Chosen" });
      await announcing;
      const conflictMs = await peer.send(denial(wanted));
      await peer.find(host.address, isProbe, { afterMs: conflictMs });
      await running.update("a", { port: 2, name: "Chosen" });
      const { message } = await peer.find(host.address, isAnnouncement, { afterMs: conflictMs });
      expect(message.answers.filter(({ type }) => type === "SRV")).toMatchObject([{ name: wanted, port: 2 }]);
      expect(running.reports).toEqual([]);
    }),
  );

  requirement(
    41,
    "takes the pointer of a subtype back that it no longer is of",
    { mirrors: ["OpenThread TestServiceSubTypeReg"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      await running.announce("a", { port: 1, server: "ollama" });
      await announced(peer, host);
      await running.update("a", { port: 1, server: "vllm" });
      const [old, next] = ["ollama", "vllm"].map((kind) => `_${kind}._sub.${serviceType}`);
      await peer.find(host.address, answersWith("PTR", next ?? ""));
      await peer.find(host.address, ({ message }) =>
        message.answers.some(({ name, ttlS }) => name === old && ttlS === 0),
      );
    }),
  );

  requirement(
    41,
    "announces every change, also more than ten a minute",
    {
      deviates:
        "the limit of ten is advice to whoever changes records; what a node serves changes by hand, and a change held back would be a wrong answer",
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      await running.announce("a", { port: 1 });
      for (let port = 2; port <= 13; port += 1) await running.update("a", { port });
      await peer.find(host.address, ({ message }) => message.answers.some(({ port }) => port === 13));
      const ports = new Set(
        multicasts(peer, host).flatMap(({ message }) => message.answers.flatMap(({ port = [] }) => port)),
      );
      expect(ports.size).toBe(13);
    }),
  );

  requirement(
    41,
    "takes its old name back, probes for the new one and announces it",
    { apple: ["II.16"], mirrors: ["OpenThread TestUnregisterBeforeProbeFinished"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const running = await subject(stage);
      await running.announce("a", { port: 1, name: "Old" });
      await running.withdraw("a");
      const goneMs = stage.nowMs();
      await running.announce("b", { port: 1, name: "Chosen" });
      const old = `Old.${serviceType}`;
      const isGoodbye = ({ message }: Heard): boolean =>
        message.answers.some(({ type, target, ttlS }) => type === "PTR" && target === old && ttlS === 0);
      expect(multicasts(peer, host).some(isGoodbye)).toBe(true);
      const announcement = await peer.find(host.address, isAnnouncement, { afterMs: goneMs });
      expect(answersWith("SRV", wanted)(announcement)).toBe(true);
      const probes = peer.heard(host.address, goneMs).filter((heard) => isProbe(heard, wanted));
      expect(probes).toHaveLength(3);
      expect(gapsBetween(probes)).toEqual([250, 250]);
    }),
  );

  requirement(
    45,
    "says goodbye when it is stopped while it probes for a name that it had announced",
    { mirrors: ["OpenThread TestUnregisterBeforeProbeFinished"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const service = await announce(stage, { name: "Chosen" });
      const conflictMs = await peer.send(denial(wanted));
      await peer.find(host.address, isProbe, { afterMs: conflictMs });
      await service.stop();
      expect(goodbyesOf(stage, conflictMs).length).toBeGreaterThan(0);
    }),
  );

  requirement(
    45,
    "says nothing when it is stopped before a name was announced",
    { mirrors: ["OpenThread TestUnregisterBeforeProbeFinished"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const { stop } = await startAnnouncing(stage, { name: "Chosen" });
      await peer.find(host.address, isProbe);
      await stop();
      expect(
        peer.heard(host.address).filter(({ message, dst }) => message.response && isMulticast(dst)),
      ).toEqual([]);
    }),
  );

  requirement(
    40,
    "answers, while it announces, for what it announced",
    {},
    staged(async (stage) => {
      const { instance } = await quietService(stage);
      const askedMs = await stage.peer.send(query({ questions: [{ name: instance, type: "TXT" }] }));
      await stage.peer.find(stage.host.address, answersWith("TXT", instance), { afterMs: askedMs });
    }),
  );
});
