import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLan, type Host, type Place } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect } from "vitest";
import { type Listing, lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { moveBehind } from "../mesh/subnets.ts";
import { EtcdHosts } from "../store/etcd-host.ts";
import { addContainers, addVpn, withOwnSysfs } from "./machine-network.ts";

// Each machine has a bridge of containers and a VPN, whose addresses are the same on both. Names say nothing.

const test = needsPeers(["python", "etcd"]);
/** As a key file has it. */
const clusterKey = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk\n";
const [bridge, vpn] = ["lab0", "office"];
const [bridgeAddress, vpnAddress] = ["10.88.0.1", "10.99.0.1"];

/** Gives a machine both. */
async function addContainersAndVpn(lan: { readonly switch: Place }, host: Host): Promise<void> {
  await addContainers(lan, host, { name: bridge, address: `${bridgeAddress}/16` });
  await addVpn(host, { name: vpn, address: `${vpnAddress}/24` });
}

async function announce(host: Host, folder: string, ...args: readonly string[]): Promise<void> {
  const command = lmserv("announce", "--no-check", "--info", host.name, ...args);
  const env = { XDG_STATE_HOME: join(folder, host.name) };
  const announcer = await host.spawn(withOwnSysfs(command), { env, cwd: "/" });
  await announcer.stderrLine((line) => line.includes("announced "));
}

/** The URL and the addresses of each node that a host lists, by name. */
async function list(host: Host, ...args: readonly string[]): Promise<unknown> {
  const command = lmserv("discover", "--json", "--wait", "2", "--timeout", "60s", ...args);
  const { stdout } = await host.run(withOwnSysfs(command), { cwd: "/" });
  const { nodes }: Listing = JSON.parse(stdout);
  return Object.fromEntries(nodes.map(({ info, host: best, addresses }) => [info, { best, addresses }]));
}

describeNet("machines with containers and a VPN, on two subnets", () => {
  describe.concurrent("are listed where each other reaches them, and at all their addresses to themselves,", () => {
    test("over etcd", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 3, neighbors: "learned" });
      const [router, near, far] = lan.hosts;
      const [moved] = await moveBehind(lan, router, [far]);
      for (const host of [near, far]) await addContainersAndVpn(lan, host);
      const etcd = new EtcdHosts([router], folder.path);
      await etcd.start();
      const store = ["--transport", "etcd", ...etcd.urls.flatMap((url) => ["--endpoint", url])];
      for (const host of [near, far]) await announce(host, folder.path, "--port", "8000", ...store);

      const here = { best: near.address, addresses: [near.address] };
      const there = { best: moved?.address, addresses: [moved?.address] };
      const withVpn = ({ best, addresses }: typeof there) => ({
        best,
        addresses: [...addresses, vpnAddress],
      });
      expect(await list(near, ...store)).toEqual({ [near.name]: withVpn(here), [far.name]: there });
      expect(await list(far, ...store)).toEqual({ [near.name]: here, [far.name]: withVpn(there) });
    });

    test("over a mesh", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 3, neighbors: "learned" });
      const [router, near, far] = lan.hosts;
      const [moved] = await moveBehind(lan, router, [far]);
      for (const host of [near, far]) await addContainersAndVpn(lan, host);
      const key = join(folder.path, "key");
      await writeFile(key, clusterKey, { mode: 0o600 });
      const mesh = ["--transport", "mesh", "--key-file", key, "--seed", `ws://${near.address}:7946`];
      for (const host of [near, far]) await announce(host, folder.path, "--port", "8000", ...mesh);

      const listed = await list(router, ...mesh);
      expect(listed).toMatchObject({
        [near.name]: { best: near.address },
        [far.name]: { best: moved?.address },
      });
      expect(JSON.stringify(listed)).not.toContain(bridgeAddress);
      expect(await list(far, ...mesh)).toMatchObject({
        [near.name]: { best: near.address, addresses: [near.address] },
        [far.name]: { best: moved?.address },
      });
    });
  });
});
