import {
  announceOriginal,
  browseZeroconf,
  createLan,
  type Host,
  type HostProcess,
  type Packet,
  packetTap,
  startAvahi,
} from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect, test, vi } from "vitest";
import { announce, discover, watch } from "../command/command.ts";
import { lists, watchedList } from "../command/watched-list.ts";

/** The end of the question for all nodes: `local`, type PTR, class IN, and the bit that asks for unicast. */
const directQuestion = Buffer.from("056c6f63616c00000c8001", "hex");
const openQuestion = Buffer.from("056c6f63616c00000c0001", "hex");

const asks =
  (question: Buffer) =>
  ({ outgoing, payload }: Packet): boolean =>
    outgoing && payload.readUInt16BE(4) > 0 && payload.includes(question);

/** Lists the sockets on port 5353 of a host's own addresses. */
const listSockets = 'ss -Huln "sport = 5353" | grep -F -e "$1:5353" -e "[$2]"';

async function countUnicastSockets(host: Host): Promise<number> {
  const { stdout } = await host.run(["sh", "-c", listSockets, "sh", host.address, host.linkLocal]);
  return stdout.split("\n").length - 1;
}

const patience = { timeout: 120_000, interval: 200 };

/** Resolves when there is none. */
async function unicastSocketsClosed(host: Host): Promise<void> {
  await vi.waitFor(async () => expect(await countUnicastSockets(host)).toBe(0), patience);
}

/** Tells, a line each, which UDP sockets of a host are closed from now on. */
async function closedSockets(host: Host): Promise<HostProcess> {
  const closed = await host.spawn(["stdbuf", "-oL", "ss", "-HEuna"]);
  // It does not say when it has begun.
  const sayOne = ["bash", "-c", "exec 3>/dev/udp/127.0.0.1/9"] as const;
  await vi.waitFor(async () => {
    await host.run(sayOne);
    expect(closed.lines).toContainEqual(expect.stringContaining("127.0.0.1:9"));
  }, patience);
  return closed;
}

describeNet("port 5353", () => {
  describe.concurrent("is shared", () => {
    needsPeers(["avahi", "python-zeroconf"])(
      "with avahi and python-zeroconf on one host, and all keep finding everything",
      async () => {
        await using lan = await createLan({ hosts: 2 });
        const [a, b] = lan.hosts;
        const avahi = await startAvahi(a);
        const zeroconf = await browseZeroconf(a);
        const list = watchedList(await watch(a));
        await announce(a, "--port", "8000", "--info", "ours", "--no-check");
        await announceOriginal(a, { name: "python", info: "python", port: 9000 });
        await avahi.publish({ name: "avahi", port: 11_434, txt: ["info=avahi"] });
        await announce(b, "--port", "8000", "--info", "theirs", "--no-check");
        const all = ["avahi", "ours", "python", "theirs"];
        await list.until(lists(...all));
        for (const info of all) {
          await zeroconf.find(({ event, properties }) => event === "add" && properties.info === info);
        }
        const seen = (await avahi.browse()).flatMap(({ txt }) => txt);
        expect(seen).toEqual(expect.arrayContaining(all.map((info) => `info=${info}`)));
        const elsewhere = await discover(b, "--wait", "4", "--timeout", "60s");
        expect(lists(...all)(elsewhere.listing.nodes)).toBe(true);
        const here = await discover(a, "--wait", "4", "--timeout", "60s");
        expect(lists(...all)(here.listing.nodes)).toBe(true);

        await announce(b, "--port", "8001", "--info", "younger", "--no-check");
        await list.until(lists(...all, "younger"));
        await zeroconf.find(({ event, properties }) => event === "add" && properties.info === "younger");
        expect((await avahi.browse()).flatMap(({ txt }) => txt)).toContain("info=younger");
      },
    );

    needsPeers(["avahi"])("with avahi, and no answer is asked for that avahi would get", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await startAvahi(a);
      await announce(b, "--port", "8000", "--info", "theirs", "--no-check");
      await using tap = await packetTap(a);
      const { listing } = await discover(a, "--first", "--timeout", "60s");
      expect(listing.nodes).toMatchObject([{ info: "theirs" }]);
      const packets = await tap.stop();
      expect(packets.filter(asks(openQuestion)).length).toBeGreaterThan(0);
      expect(packets.filter(asks(directQuestion))).toEqual([]);
    });

    needsPeers(["avahi"])(
      "alone: answers are asked for by unicast, for 2 s, and avahi may start then",
      async () => {
        await using lan = await createLan({ hosts: 2 });
        const [a, b] = lan.hosts;
        await announce(b, "--port", "8000", "--info", "theirs", "--no-check");
        await using tap = await packetTap(a);
        const closed = await closedSockets(a);
        const list = watchedList(await watch(a));
        await tap.find(asks(directQuestion));
        await closed.line((line) => line.includes(`${a.address}:5353 `));
        await closed.line((line) => line.includes(`[${a.linkLocal}]%eth0:5353 `));
        const avahi = await startAvahi(a);
        await list.until(lists("theirs"));
        await unicastSocketsClosed(a);
        expect((await avahi.browse()).flatMap(({ txt }) => txt)).toContain("info=theirs");
      },
    );

    test("by several of ours on one host", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const watches = await Promise.all([watch(a), watch(a), watch(a)]);
      await Promise.all(
        ["1", "2", "3"].map((info) => announce(a, "--port", `800${info}`, "--info", info, "--no-check")),
      );
      await announce(b, "--port", "8000", "--info", "4", "--no-check");
      await Promise.all(watches.map((seen) => watchedList(seen).until(lists("1", "2", "3", "4"))));
      const found = await Promise.all([1, 2, 3].map(() => discover(a, "--wait", "4", "--timeout", "60s")));
      for (const { listing } of found) expect(lists("1", "2", "3", "4")(listing.nodes)).toBe(true);
      await unicastSocketsClosed(a);
    });
  });
});
