import { conformance } from "@lmserv/test-netlab/conformance";
import {
  type Heard,
  headerBits,
  itemsOf,
  nameInData,
  query,
  type Received,
  response,
} from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { quietService, rested, type Service } from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { answersWith, asksFor } from "./delays.ts";

const enumeration = "_services._dns-sd._udp.local";

interface Scene {
  readonly stage: Stage;
  readonly service: Service;
  /** Asks when no rest forbids the answer, and resolves with the first that fits. */
  readonly ask: (payload: Buffer, fits?: (heard: Heard) => boolean) => Promise<Heard>;
}

function served(play: (scene: Scene) => Promise<void>): () => Promise<void> {
  return staged(async (stage) => {
    const service = await quietService(stage);
    const ask: Scene["ask"] = async (payload, fits = ({ message }) => message.response) => {
      await rested(stage);
      const afterMs = await stage.peer.send(payload);
      return stage.peer.find(stage.host.address, fits, { afterMs });
    };
    await play({ stage, service, ask });
  });
}

const types = (records: readonly Received[]): string[] => records.map(({ type }) => type).sort();

conformance("The content of responses", (requirement) => {
  requirement(
    31,
    "answers ANY for its instance with SRV and TXT, for its host with all addresses, for the type with PTR",
    { apple: ["II.7", "II.8"], mirrors: ["python-zeroconf test_any_query_for_ptr"] },
    served(async ({ service, ask }) => {
      for (const [name, expected] of [
        [service.instance, ["SRV", "TXT"]],
        [service.hostName, ["A", "AAAA"]],
        [serviceType, ["PTR"]],
      ] as const) {
        const { message } = await ask(query({ questions: [{ name, type: "ANY" }] }));
        expect(types(message.answers)).toEqual(expected);
        expect(message.answers.every((answer) => answer.name === name)).toBe(true);
      }
    }),
  );

  requirement(
    51,
    "adds SRV, TXT and addresses to PTR, and addresses to SRV",
    {
      apple: ["II.7"],
      mirrors: ["python-zeroconf test_ptr_optimization", "NetX Duo mdns_dns_sd_response"],
    },
    served(async ({ stage, service, ask }) => {
      const { message: listing } = await ask(asksFor(serviceType));
      expect(listing.answers).toMatchObject([{ type: "PTR", target: service.instance }]);
      expect(listing.additionals.filter(({ type }) => type !== "NSEC")).toMatchObject([
        { type: "SRV", name: service.instance, target: service.hostName, port: 8000 },
        { type: "TXT", name: service.instance },
        { type: "A", name: service.hostName, address: stage.host.address },
        { type: "AAAA", name: service.hostName },
      ]);
      const { message: location } = await ask(
        query({ questions: [{ name: service.instance, type: "SRV" }] }),
      );
      expect(types(location.answers)).toEqual(["SRV"]);
      expect(types(location.additionals)).toEqual(expect.arrayContaining(["A", "AAAA"]));
    }),
  );

  requirement(
    33,
    "says with NSEC that it has no record of a type, and which ones it has",
    { mirrors: ["OpenThread TestQuery", "python-zeroconf test_aaaa_query"] },
    served(async ({ service, ask }) => {
      for (const [name, type, present] of [
        [service.instance, "A", ["TXT", "SRV"]],
        [service.hostName, "MX", ["A", "AAAA"]],
      ] as const) {
        const { message } = await ask(query({ questions: [{ name, type }] }));
        const [denial] = [...message.answers, ...message.additionals].filter((one) => one.type === "NSEC");
        expect(denial).toMatchObject({ name, types: present, flush: true });
      }
    }),
  );

  requirement(
    34,
    "sets the flush bit on unique records only, and gives whole sets",
    { apple: ["II.*"], mirrors: ["python-zeroconf test_cache_flush_bit"] },
    served(async ({ ask }) => {
      const { message } = await ask(asksFor(serviceType));
      const flags = [...message.answers, ...message.additionals].map(({ type, flush }) => [type, flush]);
      expect(Object.fromEntries(flags)).toEqual({
        PTR: false,
        SRV: true,
        TXT: true,
        A: true,
        AAAA: true,
        NSEC: true,
      });
    }),
  );

  requirement(
    44,
    "gives 120 s to SRV, A, AAAA and NSEC, 4,500 s to PTR and TXT",
    { mirrors: ["python-zeroconf test_ttl"] },
    served(async ({ ask }) => {
      const { message } = await ask(asksFor(serviceType));
      const ttls = [...message.answers, ...message.additionals].map(({ type, ttlS }) => [type, ttlS]);
      expect(Object.fromEntries(ttls)).toEqual({
        PTR: 4500,
        SRV: 120,
        TXT: 4500,
        A: 120,
        AAAA: 120,
        NSEC: 120,
      });
    }),
  );

  requirement(
    52,
    "lists its service type under _services._dns-sd._udp.local",
    { mirrors: ["python-zeroconf test_upper_case_enumeration_query", "mdns-sd integration_success"] },
    served(async ({ ask }) => {
      for (const name of [enumeration, enumeration.toUpperCase().replace("LOCAL", "local")]) {
        const { message } = await ask(asksFor(name));
        expect(message.answers).toMatchObject([
          { type: "PTR", name: enumeration, target: serviceType, flush: false },
        ]);
      }
    }),
  );

  requirement(
    53,
    "lists its instance under the subtype of its engine",
    { mirrors: ["OpenThread TestServiceSubTypeReg"] },
    served(async ({ stage, service, ask }) => {
      const { message } = await ask(asksFor(`_lmserv._sub.${serviceType}`));
      expect(message.answers).toMatchObject([{ type: "PTR", target: service.instance, flush: false }]);
      const silent = await stage.peer.send(asksFor(`_other._sub.${serviceType}`));
      await ask(asksFor(serviceType), answersWith("PTR", serviceType));
      const names = stage.peer
        .heard(stage.host.address, silent)
        .flatMap(({ message: { answers } }) => answers);
      expect(names.filter(({ name }) => name.startsWith("_other"))).toEqual([]);
    }),
  );

  requirement(
    10,
    "compares names without the case of ASCII letters",
    { apple: ["II.*"], mirrors: ["NetX Duo mdns_case_insensitivity"] },
    served(async ({ service, ask }) => {
      const name = service.instance.toUpperCase();
      const { message } = await ask(query({ questions: [{ name, type: "SRV" }] }));
      expect(message.answers).toMatchObject([{ type: "SRV", name: service.instance }]);
    }),
  );

  requirement(
    2,
    "answers from port 5353 to port 5353 of the group",
    {},
    served(async ({ ask }) => {
      const { sport, dst, dport } = await ask(asksFor(serviceType));
      expect({ sport, dst, dport }).toEqual({ sport: 5353, dst: "224.0.0.251", dport: 5353 });
    }),
  );

  requirement(
    2,
    "answers nobody who sends a response",
    {},
    served(async ({ stage, service, ask }) => {
      await rested(stage);
      const questions = [{ name: service.instance, type: "SRV" }] as const;
      const afterMs = await stage.peer.send(response({ questions }));
      await ask(query({ questions: [{ name: service.instance, type: "TXT" }] }));
      const answered = stage.peer
        .heard(stage.host.address, afterMs)
        .flatMap(({ message }) => types(message.answers));
      expect(answered).toEqual(["TXT"]);
    }),
  );

  requirement(
    3,
    "ignores the ID of a multicast query and answers with 0",
    {},
    served(async ({ service, ask }) => {
      const { message } = await ask(
        query({ id: 0x4711, questions: [{ name: service.instance, type: "SRV" }] }),
      );
      expect(message.id).toBe(0);
    }),
  );

  requirement(
    4,
    "answers no query with an opcode or rcode",
    { mirrors: ["NetX Duo error_response.pcapng"] },
    served(async ({ stage, service, ask }) => {
      await rested(stage);
      const questions = [{ name: service.instance, type: "SRV" }] as const;
      const { opcode, rcode } = headerBits;
      for (const flags of [opcode(1), opcode(4), opcode(15), rcode(1), rcode(3), rcode(15)]) {
        await stage.peer.send(query({ flags, questions }));
      }
      const { message } = await ask(query({ questions: [{ name: service.instance, type: "TXT" }] }));
      expect(types(message.answers)).toEqual(["TXT"]);
    }),
  );

  requirement(
    5,
    "answers with AA alone, whatever header bits the query has",
    {},
    served(async ({ service, ask }) => {
      const everyOtherBit = 0x05f0;
      const { message } = await ask(
        query({ flags: everyOtherBit, questions: [{ name: service.instance, type: "TXT" }] }),
      );
      expect(message.flags).toBe(headerBits.authoritative);
    }),
  );

  requirement(
    6,
    "leaves TC clear in responses",
    {},
    served(async ({ service, ask }) => {
      const { message } = await ask(query({ questions: [{ name: service.instance, type: "ANY" }] }));
      expect(message.truncated).toBe(false);
    }),
  );

  requirement(
    7,
    "repeats no question in a multicast response",
    {},
    served(async ({ ask }) => {
      const { message } = await ask(asksFor(serviceType));
      expect(message.questions).toEqual([]);
    }),
  );

  requirement(
    8,
    "compresses the names in PTR, SRV and NSEC data",
    {},
    served(async ({ ask }) => {
      const { payload } = await ask(asksFor(serviceType));
      const named = itemsOf(payload).flatMap((item) => {
        const name = nameInData(payload, item);
        return name ? [[item.type, name.compressed]] : [];
      });
      expect(Object.fromEntries(named)).toEqual({ 12: true, 33: true, 47: true });
    }),
  );

  requirement(
    8,
    "reads a question whose name is compressed",
    { mirrors: ["python-zeroconf test_qm_packet_parser"] },
    served(async ({ service, ask }) => {
      const first = query({ questions: [{ name: service.instance, type: "TXT" }] });
      const second = Buffer.from([0xc0, 12, 0, 33, 0, 1]);
      const packet = Buffer.concat([first, second]);
      packet.writeUInt16BE(2, 4);
      const { message } = await ask(packet);
      expect(types(message.answers)).toEqual(["SRV", "TXT"]);
    }),
  );

  requirement(
    2,
    "answers a question that came over IPv6 over IPv6",
    { mirrors: ["NetX Duo mdns_basic_ipv6_response", "NetX Duo mdns_basic_ipv6_announcement"] },
    served(async ({ stage }) => {
      await rested(stage);
      const { peer, host } = stage;
      const afterMs = await peer.send(asksFor(serviceType), { to: "ff02::fb" });
      const answer = await peer.find(host.linkLocal, answersWith("PTR", serviceType), { afterMs });
      expect(answer).toMatchObject({ dst: "ff02::fb", sport: 5353, dport: 5353 });
    }),
  );

  requirement(
    31,
    "answers questions of class ANY, and none of another class",
    {},
    served(async ({ stage, service, ask }) => {
      await rested(stage);
      const asked = query({ questions: [{ name: service.instance, type: "SRV" }] });
      const withClass = (value: number): Buffer => {
        const packet = Buffer.from(asked);
        packet.writeUInt16BE(value, packet.length - 2);
        return packet;
      };
      const afterMs = await stage.peer.send(withClass(3));
      const { message } = await ask(query({ questions: [{ name: service.instance, type: "TXT" }] }));
      expect(types(message.answers)).toEqual(["TXT"]);
      await ask(withClass(255), answersWith("SRV", service.instance));
      const answers = stage.peer
        .heard(stage.host.address, afterMs)
        .filter(answersWith("SRV", service.instance));
      expect(answers).toHaveLength(1);
    }),
  );

  requirement(
    31,
    "answers nobody who asks for somebody else's names",
    {},
    served(async ({ stage, service, ask }) => {
      await rested(stage);
      const names = ["_ipp._tcp.local", "printer.local", `other.${serviceType}`, "local"];
      const afterMs = await stage.peer.send(
        query({ questions: names.map((name) => ({ name, type: "ANY" })) }),
      );
      const { message } = await ask(query({ questions: [{ name: service.instance, type: "TXT" }] }));
      expect(types(message.answers)).toEqual(["TXT"]);
      expect(stage.peer.heard(stage.host.address, afterMs)).toHaveLength(1);
    }),
  );
});
