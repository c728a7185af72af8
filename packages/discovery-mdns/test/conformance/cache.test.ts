import { conformance } from "@lmserv/test-netlab/conformance";
import { fakeService, type Heard, query, response, withTtl } from "@lmserv/test-netlab/raw-peer";
import { expect } from "vitest";
import { transitMs } from "../segment.ts";
import { peerOn, serviceType, staged } from "../virtual/stage.ts";
import { browsing, type NodeObservation } from "../virtual/subject.ts";

const box = fakeService(serviceType, { label: "Box", address: "10.77.0.2" });
const key = `${box.instance}@eth0`;
const hostName = "Box-host.local";

const asksFor =
  (name: string, type: string) =>
  ({ message }: Heard): boolean =>
    message.questions.some((asked) => asked.name === name && asked.type === type);

conformance("The cache", (requirement) => {
  requirement(
    48,
    "lets a node go that left two questions of another host unanswered for 10 s and then its own",
    {
      mirrors: ["NetX Duo mdns_poof"],
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      const seen = await browsing(stage);
      await peer.send(box.announcement());
      await seen.alive("Box");
      const questions = [{ name: box.instance, type: "SRV" }] as const;
      const startMs = await peer.send(query({ questions }));
      await stage.until(startMs + 1_000);
      await peer.send(query({ questions }));
      const gone = await seen.observation(({ kind }) => kind === "gone");
      expect(gone).toMatchObject({ key, reason: "unreachable" });
      const doubtedMs = startMs + transitMs + 10_000;
      expect(stage.nowMs()).toBe(doubtedMs + 4_500);
      const own = peer.heard(host.address, startMs).filter(asksFor(box.instance, "SRV"));
      expect(own[0]?.tMs).toBe(doubtedMs);
    }),
  );

  requirement(
    48,
    "keeps a node whose answer to the other host it heard",
    { mirrors: ["NetX Duo mdns_poof"] },
    staged(async (stage) => {
      const { peer, host, third } = stage;
      const seen = await browsing(stage);
      const owner = peerOn(stage, third);
      await owner.send(box.announcement());
      await seen.alive("Box");
      const questions = [{ name: box.instance, type: "SRV" }] as const;
      const startMs = await peer.send(query({ questions }));
      await peer.send(query({ questions }));
      await owner.send(response({ answers: [box.srv], additionals: [box.a] }));
      await stage.until(startMs + 11_500);
      expect(peer.heard(host.address, startMs).filter(asksFor(box.instance, "SRV"))).toEqual([]);
      expect(seen.observations().filter(({ kind }) => kind === "gone")).toEqual([]);
    }),
  );

  requirement(
    45,
    "lets a node go one second after its goodbye, told by PTR or by SRV",
    { mirrors: ["NetX Duo mdns_query_rr_timeout", "python-zeroconf test_backoff", "OpenThread TestBrowser"] },
    staged(async (stage) => {
      const seen = await browsing(stage);
      for (const record of [box.ptr, box.srv]) {
        const from = seen.observations().length;
        await stage.peer.send(box.announcement());
        await seen.observation(({ kind }) => kind === "alive", { from });
        const saidMs = stage.nowMs();
        await stage.peer.send(response({ answers: [withTtl(record, 0)] }));
        const gone = await seen.observation(({ kind }) => kind === "gone", { from });
        expect(gone).toMatchObject({ key, reason: "goodbye" });
        expect(stage.nowMs() - saidMs).toBe(transitMs + 1_000);
      }
    }),
  );

  requirement(
    45,
    "keeps a node that is announced again within the second",
    {
      mirrors: [
        "python-zeroconf test_service_browser_expire_callbacks",
        "NetX Duo mdns_responder_cooperating",
      ],
    },
    staged(async (stage) => {
      const seen = await browsing(stage);
      await stage.peer.send(box.announcement());
      await seen.alive("Box");
      await stage.peer.send(response({ answers: [withTtl(box.ptr, 0)] }));
      const rescuedMs = await stage.peer.send(box.announcement());
      await stage.until(rescuedMs + 1_800);
      expect(seen.observations().filter(({ kind }) => kind === "gone")).toEqual([]);
    }),
  );

  requirement(
    46,
    "drops an address a second after a newer one came with the flush bit, and keeps those of the other family",
    { mirrors: ["mdns-sd test_cache_flush_record", "python-zeroconf test_cache_flush_bit"] },
    staged(async (stage) => {
      const { peer } = stage;
      const seen = await browsing(stage);
      const six = { type: "AAAA", name: hostName, ttl: 120, flush: true, data: "fe80::50" } as const;
      await peer.send(response({ answers: [box.ptr, box.srv, box.txt, { ...box.a }, six] }));
      await seen.alive("Box");
      await stage.until(stage.nowMs() + 1_300);
      const newer = { type: "A", name: hostName, ttl: 120, flush: true, data: "10.77.0.77" } as const;
      await peer.send(response({ answers: [newer] }));
      const has =
        (wanted: readonly string[]) =>
        ({ node }: NodeObservation): boolean =>
          JSON.stringify(node?.addresses.map(({ address }) => address).sort()) === JSON.stringify(wanted);
      await seen.observation(has(["10.77.0.2", "10.77.0.77", "fe80::50%eth0"]));
      await stage.until(stage.nowMs() + 1_200);
      await peer.send(response({ answers: [box.srv] }));
      await seen.observation(has(["10.77.0.77", "fe80::50%eth0"]));
    }),
  );

  requirement(
    46,
    "keeps addresses that came in several packets within one second, each with the flush bit",
    {
      mirrors: ["NetX Duo mdns_response_in_multiple_packets"],
    },
    staged(async (stage) => {
      const { peer } = stage;
      const seen = await browsing(stage);
      await peer.send(box.announcement());
      const second = { type: "A", name: hostName, ttl: 120, flush: true, data: "10.77.0.77" } as const;
      await peer.send(response({ answers: [second] }));
      await stage.until(stage.nowMs() + 1_300);
      await peer.send(response({ answers: [box.srv] }));
      await seen.observation(({ node }) => node?.addresses.length === 2);
      expect(seen.observations().at(-1)?.node?.addresses).toHaveLength(2);
    }),
  );

  requirement(
    46,
    "takes a changed SRV or TXT record at once",
    { mirrors: ["NetX Duo netx_mdns_peer_service_change_notify", "OpenThread TestSrvResolver"] },
    staged(async (stage) => {
      const seen = await browsing(stage);
      await stage.peer.send(box.announcement());
      await seen.alive("Box");
      const moved = fakeService(serviceType, {
        label: "Box",
        address: "10.77.0.2",
        port: 9_000,
        txt: ["info=moved"],
      });
      await stage.peer.send(response({ answers: [moved.srv, moved.txt] }));
      const { node } = await seen.observation(({ node }) => node?.port === 9_000 && node.info === "moved");
      expect(node?.addresses).toMatchObject([{ address: "10.77.0.2" }]);
    }),
  );

  requirement(
    47,
    "asks twice at least for a node that somebody doubts, and lets it go after 4.5 s without an answer",
    {
      mirrors: ["mdns-sd test_verify_srv", "python-zeroconf test_reconfirm_flushes_record_after_timeout"],
      deviates:
        "RFC 6762 waits 10 s; who asks for it has a reason to doubt, and five questions in 4.5 s answer it as surely; Apple's responder waits 5 s",
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      const seen = await browsing(stage);
      await peer.send(box.announcement());
      await seen.alive("Box");
      const startMs = stage.nowMs();
      await seen.reconfirm(key);
      const gone = await seen.observation(({ kind }) => kind === "gone");
      expect(gone).toMatchObject({ key, reason: "unreachable" });
      expect(stage.nowMs() - startMs).toBe(4_500);
      const questions = peer.heard(host.address, startMs - 1).filter(asksFor(box.instance, "SRV"));
      expect(questions).toHaveLength(5);
    }),
  );

  requirement(
    47,
    "keeps a doubted node that answers",
    { mirrors: ["mdns-sd test_verify_srv", "python-zeroconf test_reconfirm_keeps_record_when_refreshed"] },
    staged(async (stage) => {
      const { peer, host } = stage;
      const seen = await browsing(stage);
      await peer.send(box.announcement());
      await seen.alive("Box");
      await seen.reconfirm(key);
      const asked = await peer.find(host.address, asksFor(box.instance, "SRV"));
      const answeredMs = await peer.send(response({ answers: [box.srv], additionals: [box.a] }));
      await stage.until(answeredMs + 5_500);
      const questions = peer.heard(host.address, asked.tMs - 1).filter(asksFor(box.instance, "SRV"));
      expect(questions).toHaveLength(1);
      expect(seen.observations().filter(({ kind }) => kind === "gone")).toEqual([]);
    }),
  );

  requirement(
    51,
    "asks at once for what an answer lacks: SRV and TXT of a pointer, addresses of an SRV record",
    {
      mirrors: [
        "OpenThread TestBrowser",
        "OpenThread TestIp6AddrResolver",
        "python-zeroconf test_get_info_suppressed_by_question_history",
      ],
    },
    staged(async (stage) => {
      const { peer, host } = stage;
      const seen = await browsing(stage);
      const listedMs = await peer.send(response({ answers: [box.ptr] }));
      const both = (heard: Heard): boolean =>
        asksFor(box.instance, "SRV")(heard) && asksFor(box.instance, "TXT")(heard);
      const forService = await peer.find(host.address, both, { afterMs: listedMs });
      expect(forService.tMs - listedMs).toBe(transitMs);
      const locatedMs = await peer.send(response({ answers: [box.srv, box.txt] }));
      const forHost = await peer.find(host.address, asksFor(hostName, "A"), { afterMs: locatedMs });
      expect(forHost.tMs - locatedMs).toBe(transitMs);
      await peer.send(response({ answers: [box.a] }));
      await seen.alive("Box");
    }),
  );
});
