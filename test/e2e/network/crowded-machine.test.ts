import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLan, type Host, type HostProcess, type Lan } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { type Listing, lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import type { Check } from "../doctor/examine.ts";
import { EtcdHosts } from "../store/etcd-host.ts";
import { addContainers, addVpn, withOwnSysfs } from "./machine-network.ts";
import { addBridge, ip, plug, unplug } from "./wiring.ts";

const test = needsPeers(["python", "etcd"]);
/** As a key file has it. */
const clusterKey = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk\n";
const linkLocal = "of the link";

/** The machine, and one host of each network that it is on. */
interface Scene {
  readonly machine: Host;
  readonly near: Host;
  readonly far: Host;
  readonly wired: Host;
}

/** MAC and IPv4 address of each end of a link of the machine. */
const links = {
  near: { name: "eth0", here: ["02:00:0a:4d:00:01", "10.77.0.1"], there: ["02:00:0a:4d:00:02", "10.77.0.2"] },
  far: { name: "eth1", here: ["02:00:0a:07:00:01", "10.7.0.1"], there: ["02:00:0a:07:00:03", "10.7.0.3"] },
  wired: {
    name: "cable",
    here: ["02:00:a9:fe:00:01", "169.254.9.1"],
    there: ["02:00:a9:fe:00:04", "169.254.9.4"],
  },
} as const;

/** Serves what LMServ shows, on all addresses or those of IPv6 only. */
const server = `
  require("node:http").createServer((request, response) => {
    if (request.url === "/") response.end('"LMServ is running"');
    else response.writeHead(404).end();
  }).listen({ port: Number(process.argv[1]), host: "::", ipv6Only: process.argv[2] === "IPv6" }, () => console.log("listening"));`;

async function serve(host: Host, port: number, families: "all" | "IPv6" = "all"): Promise<void> {
  const running = await host.spawn([process.execPath, "-e", server, String(port), families]);
  await running.line((line) => line === "listening");
}

/** Two LANs, a cable without a router, bridges of Docker and Podman, and a VPN. */
async function wire(lan: Lan<4>): Promise<Scene> {
  const [machine, near, far, wired] = lan.hosts;
  for (const [name, host] of Object.entries({ far, wired }) as ["far" | "wired", Host][]) {
    const { name: card, here, there } = links[name];
    await addBridge(lan, `${name}-lan`);
    await plug(lan, machine, { name: card, mac: here[0], address: here[1], bridge: `${name}-lan` });
    await unplug(lan, host, "eth0");
    await plug(lan, host, { name: "eth0", mac: there[0], address: there[1], bridge: `${name}-lan` });
  }
  for (const [name, host] of Object.entries({ near, far, wired }) as ["near" | "far" | "wired", Host][]) {
    const { name: card, here, there } = links[name];
    await ip(machine, `neigh replace ${there[1]} lladdr ${there[0]} dev ${card} nud permanent`);
    await ip(host, `neigh replace ${here[1]} lladdr ${here[0]} dev eth0 nud permanent`);
  }
  await ip(machine, "addr add fd77::1/64 dev eth0 nodad");
  await ip(near, "addr add fd77::2/64 dev eth0 nodad");
  await ip(far, `route add ${machine.address}/32 via ${links.far.here[1]}`);
  await addContainers(lan, machine, { name: "docker0", address: "172.17.0.1/16" });
  await addContainers(lan, machine, { name: "cni-podman0", address: "10.88.0.1/16" });
  await addVpn(machine, { name: "wt0", address: "100.64.0.7/16" });
  await serve(machine, 8000);
  await serve(machine, 8006, "IPv6");
  for (const host of [near, far, wired]) await serve(host, 8000);
  return { machine, near, far, wired };
}

/** The addresses of each node, those of IPv6's links without what the kernel makes up. */
function addressesOf({ nodes }: Listing): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    nodes.map(({ info, host, addresses }) => [
      info || host,
      addresses.map((one) => (one.startsWith("fe80:") ? linkLocal : one)),
    ]),
  );
}

describeNet("a machine with containers, a VPN, two LANs, an IPv6-only server and a cable", () => {
  test("is listed in each network where that reaches it, whatever the transport", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 4, neighbors: "learned" });
    const { machine, near, far, wired } = await wire(lan);
    const etcd = new EtcdHosts([machine], folder.path);
    await etcd.start();
    const key = join(folder.path, "key");
    await writeFile(key, clusterKey, { mode: 0o600 });
    const store = etcd.urls.flatMap((url) => ["--endpoint", url]);
    const optionsOf = (host: Host) => ({ env: { XDG_STATE_HOME: join(folder.path, host.name) }, cwd: "/" });
    const mesh = (seed: string) => ["--key-file", key, "--seed", `ws://${seed}:7946`];

    async function announce(port: string, info: string, ...args: readonly string[]): Promise<HostProcess> {
      const over = ["--transport", "mdns,mesh,etcd", "--key-file", key, ...store, ...args];
      const command = lmserv("announce", "--port", port, "--info", info, ...over);
      const announcer = await machine.spawn(withOwnSysfs(command), optionsOf(machine));
      await announcer.stderrLine((line) => line.includes(`as "${info}", over mdns, mesh, etcd`));
      return announcer;
    }
    const all = await announce("8000", "all");
    const six = await announce(
      "8006",
      "six",
      "--listen",
      "0.0.0.0:7947",
      "--seed",
      `ws://${machine.address}:7946`,
    );

    async function list(host: Host, count: number, transport: string, args: readonly string[] = []) {
      const over = ["--transport", transport, ...args];
      const command = lmserv("discover", "--json", "--wait", String(count), "--timeout", "2m", ...over);
      const { stdout } = await host.run(withOwnSysfs(command), { ...optionsOf(host), timeoutMs: 240_000 });
      return addressesOf(JSON.parse(stdout));
    }
    const [here, there, cable] = [machine.address, links.far.here[1], links.wired.here[1]];
    expect(await list(near, 2, "mdns")).toEqual({
      all: [here, "fd77::1", linkLocal],
      six: ["fd77::1", linkLocal],
    });
    expect(await list(far, 2, "mdns")).toEqual({ all: [there, linkLocal], six: [linkLocal] });
    expect(await list(wired, 2, "mdns")).toEqual({ all: [cable, linkLocal], six: [linkLocal] });

    expect(await list(near, 1, "arp")).toEqual({ [here]: [here] });
    expect(await list(far, 1, "arp")).toEqual({ [there]: [there] });
    expect(await list(wired, 1, "arp")).toEqual({ [cable]: [cable] });
    const neighbors = Object.values(links).map((link) => link.there[1]);
    expect(await list(machine, 3, "arp")).toEqual(Object.fromEntries(neighbors.map((one) => [one, [one]])));

    const [fromNear, fromFar] = [
      { all: [here, "fd77::1", there, "100.64.0.7"], six: ["fd77::1"] },
      { all: [there, here, "100.64.0.7", "fd77::1"], six: ["fd77::1"] },
    ];
    expect(await list(near, 2, "etcd", store)).toEqual(fromNear);
    expect(await list(far, 2, "etcd", store)).toEqual(fromFar);
    expect(await list(near, 2, "mesh", mesh(here))).toEqual(fromNear);
    expect(await list(far, 2, "mesh", mesh(there))).toEqual(fromFar);

    expect(`${all.stderrText}${six.stderrText}`).not.toContain("cannot reach it");
    const doctor = lmserv(
      "doctor",
      "--json",
      "--transport",
      "mdns,arp,mesh,etcd",
      "--key-file",
      key,
      ...store,
    );
    const { stdout } = await machine.run(withOwnSysfs(doctor), { ...optionsOf(machine), timeoutMs: 240_000 });
    const { checks }: { readonly checks: readonly Check[] } = JSON.parse(stdout);
    const interfacesOf = (code: string): readonly (string | null)[] =>
      checks
        .filter((one) => one.code === code && one.transport === "mdns")
        .map((one) => one.interface)
        .sort();
    expect(interfacesOf("INTERFACE_USED")).toEqual(["cable", "eth0", "eth1"]);
    expect(interfacesOf("INTERFACE_LEFT_OUT")).toEqual(
      expect.arrayContaining(["cni-podman0", "docker0", "lo", "wt0"]),
    );
    expect(checks.filter(({ code }) => code === "DIAGNOSIS_FAILED")).toEqual([]);
  });
});
