import { fileURLToPath } from "node:url";
import {
  createLan,
  type Finished,
  type Host,
  type HostProcess,
  packetGun,
  packetTap,
} from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { announce, discover, type ListedNode, listen, watch } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";
import { addBridge, ip, plug, unplug } from "../network/wiring.ts";

const packageFolder = fileURLToPath(new URL("../../../packages/discovery-mdns", import.meta.url));
const script = fileURLToPath(new URL("./flood.py", import.meta.url));
const done: Finished = { code: 0, signal: null, stdout: "done\n", stderr: "" };
const test = needsPeers(["python"]);

interface Flood {
  readonly kind: "nodes" | "garbage" | "direct-asks" | "legacy-asks";
  readonly count: number;
  /** Count of source addresses. */
  readonly sources: number;
  /** The first three bytes of those addresses. @default "10.77.0", those of the LAN */
  readonly network?: string;
}

/** Sends packets to the group from a host; resolves, with how that ended, when the last has left. */
function flood(host: Host, { kind, count, sources, network = "10.77.0" }: Flood): Promise<Finished> {
  return host.run(["/usr/bin/python3", script, "eth0", kind, ...[count, sources].map(String), network]);
}

const holds =
  (...infos: readonly string[]) =>
  (nodes: readonly ListedNode[]): boolean =>
    infos.every((info) => nodes.some((node) => node.info === info));

// Virtual time covers what is kept and answered of a flood; the fuzz run weighs it.
describeNet("a flood", () => {
  test("of more packets than a socket holds hides nobody, and is over when it is over", async () => {
    await using lan = await createLan({ hosts: 4 });
    const [a, b, c, d] = lan.hosts;
    await announce(a, "--port", "8000", "--info", "before", "--no-check");
    const seen = await watch(b);
    const list = watchedList(seen);
    await list.until(holds("before"));

    const flooding = flood(d, { kind: "nodes", count: 15_000, sources: 200 });
    await list.until((nodes) => nodes.length > 500);
    await announce(c, "--port", "8001", "--info", "during", "--no-check");
    await list.until(holds("before", "during"));
    expect(await flooding).toEqual(done);
    for (const kind of ["garbage", "direct-asks", "legacy-asks"] as const) {
      expect(await flood(d, { kind, count: 2_000, sources: 64 })).toEqual(done);
    }
    await announce(c, "--port", "8002", "--info", "after", "--no-check");
    await list.until(holds("before", "during", "after"));
    const { listing } = await discover(d, "--wait", "3", "--timeout", "60s");
    expect(listing.nodes.map(({ info }) => info).sort()).toEqual(["after", "before", "during"]);
  });
});

/** One process that does both, which the command does not. */
async function announceAndBrowse(host: Host): Promise<HostProcess> {
  const program = `
    import { createDiscovery } from "@lmserv/discovery-core";
    import { mdns } from "@lmserv/discovery-mdns";
    // That nobody else is there is no fault.
    const onWarning = ({ code }) => code === "NO_ANSWER" || console.error(code);
    const discovery = await createDiscovery({ transports: [mdns()], onWarning });
    await discovery.announce({ port: 8000, info: "real" });
    for await (const { kind } of discovery.watch()) console.log(kind);`;
  const command = [process.execPath, "--input-type=module", "-e", program] as const;
  return await host.spawn(command, { cwd: packageFolder });
}

describeNet("a question from another network", () => {
  test("is not answered, by multicast with a forged source or routed to the host alone", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await addBridge(lan, "br1");
    await unplug(lan, c, "eth0");
    await plug(lan, c, { name: "eth0", address: "10.78.0.3", bridge: "br1" });
    await ip(lan.switch, "addr add 10.77.0.254/24 dev br0");
    await ip(lan.switch, "addr add 10.78.0.254/24 dev br1");
    await lan.switch.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
    await ip(a, "route add default via 10.77.0.254");
    await ip(c, "route add default via 10.78.0.254");
    await listen(a, 8000);
    expect((await c.run(["bash", "-c", `exec 3<>/dev/tcp/${a.address}/8000`])).code).toBe(0);

    await using tap = await packetTap(a);
    await using gun = await packetGun(c);
    await using near = await packetGun(b);
    const question = Buffer.from(
      "000000000001000000000000075f6c6d73657276045f746370056c6f63616c00000c0001",
      "hex",
    );
    const subject = await announceAndBrowse(a);
    // Its own question, after which it takes unicast for 2 s.
    await tap.find(({ outgoing, payload }) => outgoing && payload.readUInt16BE(4) > 0);
    for (const fromPort of [5353, 40_000]) {
      await gun.fire(question, { to: a.address, fromPort });
      await tap.find(({ src, sport }) => src === "10.78.0.3" && sport === fromPort);
    }
    // The same question is answered later and nearby.
    await near.fire(question, { to: a.address, fromPort: 40_000 });
    await tap.find(({ outgoing, dst, dport }) => outgoing && dst === b.address && dport === 40_000);

    for (const kind of ["direct-asks", "legacy-asks"] as const) {
      expect(await flood(b, { kind, count: 50, sources: 50, network: "10.78.0" })).toEqual(done);
    }
    await near.fire(question, { fromPort: 40_001 });
    await tap.find(({ outgoing, dst, dport }) => outgoing && dst === b.address && dport === 40_001);
    const answers = (await tap.stop()).filter(({ outgoing, dst }) => outgoing && dst.startsWith("10.78."));
    expect(answers).toEqual([]);
    expect(subject.stderrText).toBe("");
  });
});
