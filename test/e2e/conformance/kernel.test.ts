import type { Shot } from "@lmserv/test-netlab";
import { conformance } from "@lmserv/test-netlab/conformance/lan";
import { fakeService, type Heard, query, type RawPeer, response } from "@lmserv/test-netlab/raw-peer";
import type { Answer } from "dns-packet";
import { expect } from "vitest";
import { lmserv, watch } from "../command/command.ts";
import {
  announcedBy,
  isAnnouncement,
  isLocation,
  isMulticast,
  overlaid,
  overlay,
  type Stage,
  serviceType,
  sharePort,
  staged,
} from "./stage.ts";

const announcing = (port: number, ...args: readonly string[]): readonly [string, ...string[]] =>
  lmserv("announce", "--port", String(port), "--no-check", ...args);

const isListQuestion = ({ message }: Heard): boolean =>
  !message.response && message.questions.some(({ name }) => name === serviceType);

/** A question whose answer no announcement gives. */
const enumeration = { name: "_services._dns-sd._udp.local", type: "PTR" } as const;
const isEnumeration = ({ message }: Heard): boolean =>
  message.answers.some(({ name }) => name === enumeration.name);

/** Announces on the host under test; resolves with the question for its SRV record. */
async function announce(stage: Stage): Promise<{ readonly name: string; readonly type: "SRV" }> {
  await stage.host.spawn(announcing(8_000));
  return { name: await announcedBy(stage, stage.host), type: "SRV" };
}

/**
 * Asks the host alone, then the group: a host that took both questions would have answered the first by then.
 */
async function expectIgnored(stage: Stage, asker: RawPeer, shot: Shot = {}): Promise<void> {
  const { host, peer } = stage;
  await announce(stage);
  // The third announcement comes 3 s after the first: answers to this host alone are taken for 2 s.
  let announcements = 0;
  await peer.find(host.address, (heard) => isAnnouncement(heard) && ++announcements === 3);
  await asker.send(query({ questions: [enumeration] }), { ...shot, to: host.address });
  const afterMs = await peer.send(query({ questions: [{ name: serviceType, type: "PTR" }] }));
  const isListing = ({ message }: Heard): boolean => message.answers.some(({ name }) => name === serviceType);
  await peer.find(host.address, isListing, { afterMs });
  expect(peer.heard(host.address).filter(isEnumeration)).toEqual([]);
}

const box = (label: string, address = "10.77.0.2") => fakeService(serviceType, { label, address });

conformance("The kernel's part", (requirement) => {
  requirement(
    1,
    "asks from port 5353 to the group's port 5353, over IPv4 and IPv6",
    { mirrors: ["NetX Duo mdns_dns_sd_query"] },
    staged(async ({ host, peer }) => {
      await watch(host);
      for (const [source, group] of [
        [host.address, "224.0.0.251"],
        [host.linkLocal, "ff02::fb"],
      ] as const) {
        const first = await peer.find(source, isListQuestion);
        expect(first).toMatchObject({ sport: 5353, dst: group, dport: 5353, ttl: 255 });
      }
    }),
  );

  requirement(
    2,
    "announces and answers over IPv4 and IPv6, from port 5353 to the group's port 5353",
    {
      mirrors: ["NetX Duo mdns_basic_ipv6_response", "NetX Duo mdns_basic_ipv6_announcement"],
    },
    staged(async (stage) => {
      const { host, peer } = stage;
      await announce(stage);
      for (const [source, group] of [
        [host.address, "224.0.0.251"],
        [host.linkLocal, "ff02::fb"],
      ] as const) {
        await peer.find(source, isAnnouncement);
        const afterMs = await peer.send(query({ questions: [enumeration] }), { to: group });
        const answer = await peer.find(source, isEnumeration, { afterMs });
        expect(answer).toMatchObject({ sport: 5353, dst: group, dport: 5353 });
      }
    }),
  );

  requirement(
    9,
    "reads packets of up to 9,000 bytes in IP fragments, whatever their IP TTL, over IPv4 and IPv6",
    { mirrors: ["NetX Duo mdns_announcement_in_multiple_packets"] },
    staged(async ({ host, peer }) => {
      const seen = await watch(host);
      await peer.find(host.address, isListQuestion);
      const padding: Answer[] = Array.from({ length: 40 }, (_, index) => ({
        type: "TXT",
        name: `padding-${index}.local`,
        ttl: 4_500,
        data: "x".repeat(180),
      }));
      for (const [index, to] of ["224.0.0.251", "ff02::fb"].entries()) {
        const label = to.replaceAll(".", "-");
        const address = `10.77.0.${20 + index}`;
        const { ptr, srv, txt, a } = box(label, address);
        const packet = response({ answers: [...padding, ptr, srv, txt, a] });
        expect(packet.length).toBeGreaterThan(8_000);
        await peer.send(packet, { to, ttl: 64 });
        await seen.event(({ node }) => node?.info === label);
      }
    }),
  );

  requirement(
    9,
    "announces its longest records in packets that the kernel does not fragment",
    { mirrors: ["OpenThread TestTxMessageSizeLimit"] },
    staged(async ({ host, peer }) => {
      await host.spawn(announcing(8_000, "--info", "i".repeat(250), "--path", `/${"p".repeat(249)}`));
      const { payload, fragment } = await peer.find(host.address, isAnnouncement);
      expect(payload.length).toBeGreaterThan(600);
      expect(fragment).toBe(false);
    }),
  );

  requirement(
    11,
    "sends with IP TTL 255 to the group, to one host and to ordinary resolvers",
    { apple: ["III.5"] },
    staged(async (stage) => {
      const { host, peer } = stage;
      const question = await announce(stage);
      const groupMs = await peer.send(query({ questions: [enumeration] }));
      const answers = [await peer.find(host.address, isEnumeration, { afterMs: groupMs })];
      const directMs = await peer.send(query({ questions: [{ ...question, unicast: true }] }));
      const isDirect = ({ dst }: Heard): boolean => !isMulticast(dst);
      answers.push(await peer.find(host.address, isDirect, { afterMs: directMs }));
      const legacyMs = await peer.send(query({ id: 1, questions: [question] }), { fromPort: 40_000 });
      answers.push(await peer.find(host.address, ({ dport }) => dport === 40_000, { afterMs: legacyMs }));
      expect(answers.map(({ ttl }) => ttl)).toEqual([255, 255, 255]);
    }),
  );

  requirement(
    12,
    "shares port 5353 with another program on its host: both announce and both answer",
    {},
    staged(async ({ host, peer }) => {
      // A foreign program holds the port, and two commands of ours come to it.
      await sharePort(host);
      for (const [index, info] of ["first", "second"].entries()) {
        const announcer = await host.spawn(announcing(8_000 + index, "--info", info));
        await announcer.stderrLine((line) => line.includes("announced "));
      }
      const questions = [{ name: serviceType, type: "PTR" }] as const;
      const afterMs = await peer.send(query({ id: 3, questions }), { fromPort: 40_008 });
      for (const info of ["first", "second"]) {
        const isAnswer = ({ dport, message }: Heard): boolean =>
          dport === 40_008 && message.answers.some(({ target = "" }) => target.startsWith(info));
        await peer.find(host.address, isAnswer, { afterMs });
      }
    }),
  );

  requirement(
    19,
    "finds out whether port 5353 is its own, and asks for unicast answers only then",
    { mirrors: ["OpenThread TestQuestionUnicastDisallowed"] },
    staged(async ({ host, peer, third }) => {
      await sharePort(host);
      const bits = await Promise.all(
        [host, third].map(async (asker) => {
          await watch(asker);
          const { message } = await peer.find(asker.address, isListQuestion);
          return message.questions.map(({ unicast }) => unicast);
        }),
      );
      expect(bits).toEqual([[false], [true]]);
    }),
  );

  requirement(
    20,
    "takes unicast answers within 2 s of its QU question, and none later or from off the link",
    { mirrors: ["NetX Duo netx_mdns_source_address"] },
    staged(async ({ host, peer, third }) => {
      const far = await overlay(third, host);
      const seen = await watch(host);
      const first = await peer.find(host.address, isListQuestion);
      await far.send(box("Far", overlaid).announcement(), { to: host.address, from: overlaid });
      await peer.send(box("Near").announcement(), { to: host.address });
      await seen.event(({ node }) => node?.info === "Near");
      // The third question is asked 3 s after the first.
      let afterMs = first.tMs;
      for (const _ of ["second", "third"]) {
        afterMs = (await peer.find(host.address, isListQuestion, { afterMs })).tMs;
      }
      await peer.send(box("Late").announcement(), { to: host.address });
      await peer.send(box("Open").announcement());
      await seen.event(({ node }) => node?.info === "Open");
      const infos = seen.events().flatMap(({ node }) => node?.info ?? []);
      expect(infos).toEqual(["Near", "Open"]);
    }),
  );

  requirement(
    29,
    "answers a QU question to the asker alone, and one from another subnet to the group",
    { apple: ["III.1-2"], mirrors: ["NetX Duo netx_mdns_source_address"] },
    staged(async (stage) => {
      const { host, peer, third } = stage;
      const far = await overlay(third, host);
      const question = await announce(stage);
      const nearMs = await peer.send(query({ questions: [{ ...question, unicast: true }] }));
      const near = await peer.find(host.address, isLocation, { afterMs: nearMs });
      expect(near).toMatchObject({ sport: 5353, dst: peer.host.address, dport: 5353 });
      // By then the host knows of what was queued for it while it opened its sockets.
      await peer.find(host.address, isAnnouncement, { afterMs: near.tMs });
      const farMs = await far.send(query({ questions: [{ ...enumeration, unicast: true }] }), {
        from: overlaid,
      });
      const open = await peer.find(host.address, isEnumeration, { afterMs: farMs });
      expect(open.dst).toBe("224.0.0.251");
      expect(far.heard(host.address).filter(({ dst }) => dst === overlaid)).toEqual([]);
    }),
  );

  requirement(
    30,
    "ignores unicast questions from off the link",
    {},
    staged(async (stage) => {
      const far = await overlay(stage.third, stage.host);
      await expectIgnored(stage, far, { from: overlaid });
    }),
  );

  requirement(
    30,
    "ignores unicast questions of its own link, too",
    {
      deviates:
        "the sockets are bound to the group, so that nothing from off the link reaches them and no unicast is taken from another mDNS stack of the host; queriers that ask by unicast only are rare",
    },
    staged(async (stage) => expectIgnored(stage, stage.peer)),
  );

  requirement(
    33,
    "gives all addresses of the interface that was asked, and none of another",
    { mirrors: ["python-zeroconf test_a_and_aaaa_record_fate_sharing", "NetX Duo netx_mdns_interface"] },
    staged(async ({ host, peer }) => {
      for (const command of [
        ["link", "add", "guests", "type", "bridge"],
        ["addr", "add", "192.168.77.1/24", "dev", "guests"],
        ["link", "set", "guests", "up"],
        ["addr", "add", "10.77.0.101/24", "dev", host.interface],
      ]) {
        await host.run(["ip", ...command]);
      }
      await host.spawn(announcing(8_000));
      const { message } = await peer.find(host.address, isAnnouncement);
      const addresses = message.answers.flatMap(({ address = [] }) => address);
      expect(addresses).toEqual([host.address, "10.77.0.101", host.linkLocal]);
    }),
  );
});
