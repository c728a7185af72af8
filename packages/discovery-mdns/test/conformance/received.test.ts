import { seededRandom } from "@lmserv/discovery-testkit";
import { conformance } from "@lmserv/test-netlab/conformance";
import { type FakeService, fakeService, headerBits, query, response } from "@lmserv/test-netlab/raw-peer";
import type { Answer } from "dns-packet";
import { expect } from "vitest";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { type Browsing, browsing } from "../virtual/subject.ts";
import { rivalProbe } from "./rival.ts";

/** Browse and its link. */
interface Scene {
  readonly stage: Stage;
  readonly seen: Browsing;
  readonly box: (label: string, txt?: readonly (string | Buffer)[]) => FakeService;
  /** Reported nodes once everything sent was taken in. */
  readonly listed: () => Promise<ReadonlySet<string>>;
}

/** Body of a test of a browse. */
function browsed(play: (scene: Scene) => Promise<void>): () => Promise<void> {
  return staged(async (stage) => {
    const seen = await browsing(stage);
    const box: Scene["box"] = (label, txt) =>
      fakeService(serviceType, { label, address: stage.peer.host.address, ...(txt && { txt }) });
    const listed = async (): Promise<ReadonlySet<string>> => {
      await stage.peer.send(box("Last").announcement());
      await seen.alive("Last");
      return new Set(seen.observations().map(({ node }) => node?.info ?? ""));
    };
    await play({ stage, seen, box, listed });
  });
}

conformance("What a querier takes in", (requirement) => {
  requirement(
    2,
    "ignores responses from another port than 5353",
    { mirrors: ["NetX Duo netx_mdns_source_port"] },
    browsed(async ({ stage, box, listed }) => {
      await stage.peer.send(box("From 40000").announcement(), { fromPort: 40_000 });
      expect(await listed()).not.toContain("From 40000");
    }),
  );

  requirement(
    4,
    "ignores responses with an opcode or rcode",
    { mirrors: ["NetX Duo netx_mdns_bad_packet"] },
    browsed(async ({ stage, box, listed }) => {
      const { opcode, rcode, authoritative } = headerBits;
      for (const bits of [opcode(1), opcode(15), rcode(1), rcode(3), rcode(15)]) {
        await stage.peer.send(box(`Bits ${bits}`).announcement({ flags: authoritative | bits }));
      }
      expect([...(await listed())].filter((info) => info.startsWith("Bits"))).toEqual([]);
    }),
  );

  requirement(
    3,
    "ignores the ID of responses",
    {},
    browsed(async ({ stage, seen, box }) => {
      await stage.peer.send(box("ID").announcement({ id: 0x4711 }));
      await seen.alive("ID");
    }),
  );

  requirement(
    5,
    "ignores AA, RD, RA, Z, AD and CD in responses",
    {},
    browsed(async ({ stage, seen, box }) => {
      for (const flags of [0, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010]) {
        await stage.peer.send(box(`Flags ${flags}`).announcement({ flags }));
        await seen.alive(`Flags ${flags}`);
      }
    }),
  );

  requirement(
    6,
    "ignores TC in responses",
    { mirrors: ["NetX Duo mdns_response_with_tc"] },
    browsed(async ({ stage, seen, box }) => {
      await stage.peer.send(
        box("TC").announcement({ flags: headerBits.authoritative | headerBits.truncated }),
      );
      await seen.alive("TC");
    }),
  );

  requirement(
    7,
    "ignores the questions in responses",
    {},
    browsed(async ({ stage, seen, box }) => {
      const questions = [{ name: serviceType, type: "PTR" }] as const;
      await stage.peer.send(box("Question").announcement({ questions }));
      await seen.alive("Question");
    }),
  );

  requirement(
    2,
    "takes responses over IPv6",
    { mirrors: ["NetX Duo mdns_basic_ipv6_query"] },
    browsed(async ({ stage, seen, box }) => {
      await stage.peer.send(box("Six").announcement(), { to: "ff02::fb" });
      await seen.alive("Six");
    }),
  );

  requirement(
    11,
    "takes multicast responses from a link-local address and from another subnet of the link",
    { apple: ["III.1-2"], mirrors: ["NetX Duo netx_mdns_source_address"] },
    browsed(async ({ stage, seen }) => {
      const { peer } = stage;
      for (const address of ["169.254.7.7", "198.51.100.7"]) {
        const service = fakeService(serviceType, { label: `From ${address.split(".")[0]}`, address });
        await peer.send(service.announcement(), { from: address });
        const { addresses } = await seen.alive(`From ${address.split(".")[0]}`);
        expect(addresses).toMatchObject([{ address }]);
      }
    }),
  );

  requirement(
    16,
    "takes nothing from the known answers and the proposed records of others",
    { mirrors: ["NetX Duo mdns_known_answer_ignored"] },
    browsed(async ({ stage, box, listed }) => {
      const { ptr, srv, txt, a, instance } = box("Known");
      const questions = [{ name: serviceType, type: "PTR" }] as const;
      await stage.peer.send(query({ questions, answers: [ptr, srv, txt, a] }));
      await stage.peer.send(rivalProbe(instance, [ptr, srv, txt, a]));
      await stage.peer.send(query({ questions, additionals: [ptr, srv, txt, a] }));
      expect(await listed()).not.toContain("Known");
      const asked = stage.peer.heard(stage.host.address).flatMap(({ message }) => message.questions);
      expect(asked.filter(({ name }) => name === instance)).toEqual([]);
    }),
  );

  requirement(
    8,
    "reads compressed names everywhere, in SRV data too",
    {},
    browsed(async ({ stage, seen }) => {
      await stage.peer.send(compressed("Compressed", stage.peer.host.address));
      const { addresses } = await seen.alive("Compressed");
      expect(addresses).toMatchObject([{ address: stage.peer.host.address }]);
    }),
  );

  requirement(
    9,
    "reads packets of up to 9,000 bytes",
    { mirrors: ["NetX Duo mdns_announcement_in_multiple_packets"] },
    browsed(async ({ stage, seen, box }) => {
      const { ptr, srv, txt, a } = box("Jumbo");
      const padding: Answer[] = Array.from({ length: 40 }, (_, index) => ({
        type: "TXT",
        name: `padding-${index}.local`,
        ttl: 4_500,
        data: "x".repeat(180),
      }));
      const packet = response({ answers: [...padding, ptr, srv, txt, a] });
      expect(packet.length).toBeGreaterThan(8_000);
      expect(packet.length).toBeLessThan(8_953);
      await stage.peer.send(packet);
      await seen.alive("Jumbo");
    }),
  );

  requirement(
    9,
    "ignores packets beyond 9,000 bytes",
    { mirrors: ["python-zeroconf test_guard_against_oversized_packets"] },
    browsed(async ({ stage, box, listed }) => {
      const { ptr, srv, txt, a } = box("Too big");
      const padding: Answer[] = Array.from({ length: 48 }, (_, index) => ({
        type: "TXT",
        name: `padding-${index}.local`,
        ttl: 4_500,
        data: "x".repeat(180),
      }));
      const packet = response({ answers: [ptr, srv, txt, a, ...padding] });
      expect(packet.length).toBeGreaterThan(9_000);
      await stage.peer.send(packet);
      expect(await listed()).not.toContain("Too big");
    }),
  );

  requirement(
    10,
    "takes names that differ in the case of ASCII letters for one",
    { mirrors: ["NetX Duo mdns_case_insensitivity"] },
    browsed(async ({ stage, seen, box, listed }) => {
      const { ptr, srv, txt, a } = box("Case");
      const shout = <T extends Answer>(record: T): T => ({ ...record, name: record.name.toUpperCase() });
      await stage.peer.send(response({ answers: [shout(ptr), shout(srv), shout(txt), shout(a)] }));
      await seen.alive("Case");
      await stage.peer.send(response({ answers: [ptr, srv, txt, a] }));
      await listed();
      const keys = new Set(
        seen.observations().flatMap(({ key, node }) => (node?.info === "Case" ? [key] : [])),
      );
      expect(keys.size).toBe(1);
    }),
  );

  requirement(
    49,
    "lists names of 63 bytes, with dots, UTF-8, spaces and backslashes",
    {
      mirrors: ["NetX Duo netx_mdns_name"],
    },
    browsed(async ({ stage, seen }) => {
      for (const [label, info] of [
        ["Küche 2\\.0 · 世界", "dots"],
        ["ä".repeat(31), "long"],
        ["back\\slash", "backslash"],
      ] as const) {
        const service = fakeService(serviceType, {
          label,
          address: stage.peer.host.address,
          hostName: "odd.local",
          txt: [`info=${info}`],
        });
        await stage.peer.send(service.announcement());
        await seen.alive(info);
      }
    }),
  );

  requirement(
    50,
    "reads TXT as RFC 6763 says: first key wins, any case, = in values, keys without values, =x and empty strings ignored",
    { mirrors: ["mdns-sd service_txt_properties_case_insensitive"] },
    browsed(async ({ stage, seen, box }) => {
      const strings = ["INFO=Text=1", "info=second", "", "=x", "flag", "empty=", "Key=a=b"];
      await stage.peer.send(box("Text", strings).announcement());
      const { attributes } = await seen.alive("Text=1");
      expect(attributes).toEqual({ info: "Text=1", flag: "", empty: "", key: "a=b" });
    }),
  );

  requirement(
    50,
    "takes an empty TXT record, of one empty string or none, for one without keys",
    {},
    browsed(async ({ stage, seen, box }) => {
      for (const [index, txt] of [[""], []].entries()) {
        await stage.peer.send(box(`Empty ${index}`, txt).announcement());
        const { node } = await seen.observation(({ key }) => key.startsWith(`Empty ${index}`));
        expect(node).toMatchObject({ info: "", attributes: {} });
      }
    }),
  );

  requirement(
    51,
    "pieces a node together from records that come one by one, in any order",
    {
      mirrors: ["OpenThread TestPassiveCache"],
    },
    browsed(async ({ stage, seen, box }) => {
      const { ptr, srv, txt, a } = box("Pieces");
      for (const record of [a, txt, srv, ptr, txt, a]) await stage.peer.send(response({ answers: [record] }));
      expect((await seen.alive("Pieces")).port).toBe(8_000);
    }),
  );

  requirement(
    4,
    "survives 1,000 mutilated packets and still listens",
    {
      mirrors: [
        "NetX Duo netx_mdns_bad_packet",
        "Avahi fuzz-packet",
        "python-zeroconf test_mutated_valid_packets_never_raise",
      ],
    },
    browsed(async ({ stage, seen, box, listed }) => {
      const { announcement } = box("Mutilated");
      const random = seededRandom(1);
      await Promise.all(
        Array.from({ length: 1_000 }, () => stage.peer.send(mutilated(announcement(), random))),
      );
      await stage.peer.send(loops());
      await listed();
      expect(seen.reports).toEqual([]);
    }),
  );
});

/** A response all of whose names are compressed, written by hand: the codec writes none. */
function compressed(label: string, address: string): Buffer {
  const text = Buffer.from(`info=${label}`);
  const pointer = (at: number): Buffer => Buffer.from([0xc0 | (at >> 8), at & 0xff]);
  const record = (name: Buffer, type: number, flush: boolean, data: Buffer): Buffer =>
    Buffer.concat([name, Buffer.from([0, type, flush ? 0x80 : 0, 1, 0, 0, 0, 120, 0, data.length]), data]);
  const labels = (...parts: readonly string[]): Buffer =>
    Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])));
  const type = Buffer.concat([labels("_lmserv", "_tcp", "local"), Buffer.from([0])]);
  const typeAt = 12;
  const localAt = typeAt + labels("_lmserv", "_tcp").length;
  const instanceAt = typeAt + type.length + 10;
  const ptr = record(type, 12, false, Buffer.concat([labels(label), pointer(typeAt)]));
  const hostAt = typeAt + ptr.length + 2 + 10 + 6;
  const host = Buffer.concat([labels("compressed"), pointer(localAt)]);
  const srv = record(
    pointer(instanceAt),
    33,
    true,
    Buffer.concat([Buffer.from([0, 0, 0, 0, 0x1f, 0x40]), host]),
  );
  const txt = record(pointer(instanceAt), 16, true, Buffer.concat([Buffer.from([text.length]), text]));
  const a = record(pointer(hostAt), 1, true, Buffer.from(address.split(".").map(Number)));
  return Buffer.concat([Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0]), ptr, srv, txt, a]);
}

/** Response whose names point to themselves and to each other. */
function loops(): Buffer {
  const header = [0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
  const record = (pointer: number): number[] => [
    0xc0,
    pointer,
    0,
    12,
    0,
    1,
    0,
    0,
    0,
    120,
    0,
    2,
    0xc0,
    pointer,
  ];
  return Buffer.from([...header, ...record(12), ...record(26)]);
}

function mutilated(packet: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(
    packet.subarray(0, random() < 0.3 ? Math.floor(random() * packet.length) : packet.length),
  );
  for (let change = Math.floor(random() * 8); change >= 0 && bytes.length > 0; change -= 1) {
    // Every byte gets its turn, not only the header's counts.
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  }
  return bytes;
}
