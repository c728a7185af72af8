import { conformance } from "@lmserv/test-netlab/conformance";
import { type Heard, itemsOf, nameIn, nameInData, query } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import {
  announce,
  announced,
  discoveryOn,
  isAnnouncement,
  lastAnnouncement,
  multicasts,
  rested,
} from "../virtual/service.ts";
import { type Stage, serviceType, staged } from "../virtual/stage.ts";
import { subject } from "../virtual/subject.ts";
import { asksFor } from "./delays.ts";

const txt = 16;
const srv = 33;

function stringsOf({ payload }: Heard): readonly Buffer[] {
  const item = itemsOf(payload).find(({ type }) => type === txt);
  if (!item) throw new TypeError("a packet without a TXT record");
  const data = payload.subarray(item.dataAt, item.dataAt + item.dataLength);
  const strings: Buffer[] = [];
  for (let at = 0; at < data.length; at += 1 + data.readUInt8(at)) {
    strings.push(data.subarray(at + 1, at + 1 + data.readUInt8(at)));
  }
  return strings;
}

const announcementOf = ({ peer, host }: Stage): Promise<Heard> => peer.find(host.address, isAnnouncement);

conformance("DNS-SD", (requirement) => {
  for (const label of ["Küche 2.0", "世界".repeat(10), "x".repeat(63), 'a\\b."c"']) {
    requirement(
      49,
      `announces ${JSON.stringify(label)} as one label`,
      {
        mirrors: ["NetX Duo netx_mdns_name"],
      },
      staged(async (stage) => {
        await announce(stage, { name: label });
        const { payload } = await announcementOf(stage);
        const item = itemsOf(payload).find(({ type }) => type === srv);
        const [first, ...rest] = nameIn(payload, item?.nameAt ?? 0).labels.map(String);
        expect([first, ...rest]).toEqual([label, "_lmserv", "_tcp", "local"]);
      }),
    );
  }

  requirement(
    49,
    "refuses a name of 64 bytes, an empty one, and control characters",
    {},
    staged(async (stage) => {
      const { host, peer } = stage;
      const discovery = await discoveryOn(stage, host);
      for (const name of ["x".repeat(64), `${"ä".repeat(31)}xx`, "", "a\nb", "a\u007fb"]) {
        const announcing = async (): Promise<unknown> => discovery.announce({ port: 8_000, name });
        await expect(stage.playback.settled(announcing(), name)).rejects.toThrow(/^(announce: )?name/);
      }
      expect(peer.heard(host.address)).toEqual([]);
    }),
  );

  requirement(
    50,
    "writes TXT strings of key=value, info first, none empty or over 255 bytes",
    { mirrors: ["NetX Duo mdns_server_announcement_with_txt"] },
    staged(async (stage) => {
      const info = "ä".repeat(125);
      await announce(stage, { info, path: `/${"p".repeat(249)}` });
      const strings = stringsOf(await announcementOf(stage)).map(String);
      expect(strings[0]).toBe(`info=${info}`);
      expect(Buffer.byteLength(strings[0] ?? "")).toBe(255);
      for (const string of strings) expect(string).toMatch(/^[\x20-\x3c\x3e-\x7e]+=/);
    }),
  );

  requirement(
    50,
    "refuses what TXT cannot hold: info of 251 bytes, more than 1,300 bytes in all, keys with =",
    { mirrors: ["mdns-sd service_txt_properties_key_ascii"] },
    staged(async (stage) => {
      const { host, peer } = stage;
      const discovery = await discoveryOn(stage, host);
      expect(() => discovery.announce({ port: 8_000, info: "x".repeat(251) })).toThrow(RangeError);
      const running = await subject(stage);
      const many = Object.fromEntries(
        Array.from({ length: 6 }, (_, index) => [`key${index}`, "x".repeat(240)]),
      );
      for (const attributes of [many, { "a=b": "c" }, { "": "c" }, { ü: "c" }]) {
        await expect(running.announce("a", { port: 1, attributes })).rejects.toThrow(RangeError);
      }
      expect(peer.heard(host.address)).toEqual([]);
    }),
  );

  requirement(
    50,
    "writes a TXT record with info= when it has nothing to say",
    {},
    staged(async (stage) => {
      const running = await subject(stage);
      await running.announce("a", { port: 1, info: "" });
      expect(String(stringsOf(await announcementOf(stage))[0])).toBe("info=");
    }),
  );

  requirement(
    9,
    "answers for 60 services in packets that each fit the MTU",
    {
      mirrors: [
        "NetX Duo mdns_response_in_multiple_packets",
        "python-zeroconf test_massive_probe_packet_split",
        "OpenThread TestTxMessageSizeLimit",
      ],
    },
    staged(async (stage) => {
      const { host, peer } = stage;
      const running = await subject(stage);
      const names = Array.from({ length: 60 }, (_, index) => `node-${index}`);
      await Promise.all(names.map((as) => running.announce(as, { port: 8000, path: `/${"p".repeat(100)}` })));
      await lastAnnouncement(stage, names.length);
      await rested(stage);
      const askedMs = await peer.send(asksFor(serviceType));
      const listed = (): Set<string> =>
        new Set(
          multicasts(peer, host, askedMs).flatMap(({ message }) =>
            message.answers.map(({ target = "" }) => target),
          ),
        );
      await peer.find(host.address, () => listed().size === names.length, { afterMs: askedMs });
      const packets = multicasts(peer, host, askedMs);
      expect(packets.length).toBeGreaterThan(1);
      expect(packets.filter(({ payload }) => payload.length > 1_472)).toEqual([]);
      expect(packets.filter(({ message }) => message.answers.length === 0)).toEqual([]);
    }),
  );

  requirement(
    10,
    "compares names without the case of ASCII letters only: Ä is not ä",
    { mirrors: ["NetX Duo mdns_case_insensitivity"] },
    staged(async (stage) => {
      const { host, peer } = stage;
      const { instance } = await announce(stage, { name: "Küche" });
      const ask = async (name: string, fromPort: number): Promise<number> =>
        peer.send(query({ id: 1, questions: [{ name, type: "TXT" }] }), { fromPort });
      const other = instance.replace("Küche", "KÜCHE");
      const same = instance.replace("Küche", "KüCHE").toUpperCase().replace("Ü", "ü");
      const askedMs = await ask(other, 40_000);
      await ask(same, 40_001);
      await peer.find(host.address, ({ dport }) => dport === 40_001, { afterMs: askedMs });
      expect(peer.heard(host.address, askedMs).filter(({ dport }) => dport === 40_000)).toEqual([]);
    }),
  );

  requirement(
    51,
    "names a host that its own addresses are of, under a name that is not the machine's",
    {},
    staged(async (stage) => {
      const { host } = stage;
      const { hostName } = await announce(stage);
      expect(hostName).not.toBe(`${host.machine.hostname()}.local`);
      const { payload, message } = await announcementOf(stage);
      const item = itemsOf(payload).find(({ type }) => type === srv);
      expect(item && nameInData(payload, item)?.labels.map(String).join(".")).toBe(hostName);
      expect(message.answers.filter(({ name }) => name === hostName).map(({ type }) => type)).toEqual([
        "A",
        "AAAA",
      ]);
      expect((await announced(stage.peer, stage.host)).port).toBe(8000);
    }),
  );

  requirement(
    51,
    "is found by a browser of ours that comes after its announcements",
    { apple: ["III.1-2"], mirrors: ["mdns-sd integration_success"] },
    staged(async (stage) => {
      const { host, third } = stage;
      await announce(stage, { info: "found" });
      await lastAnnouncement(stage);
      await rested(stage);
      const discovery = await discoveryOn(stage, third);
      const nodes = await stage.playback.settled(discovery.discover({ atLeast: 1 }), "a node");
      expect(nodes).toMatchObject([{ info: "found", host: host.address }]);
    }),
  );
});
