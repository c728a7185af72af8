import { join } from "node:path";
import { expect, test } from "vitest";
import { createLan, type Host } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { serve } from "../arp/neighbors.ts";
import { announceServer, type Deployment, deploy, discoverFrom } from "../config/deployment.ts";
import { meshPort } from "./member.ts";
import { moveBehind } from "./subnets.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const patience = { timeout: 60_000, interval: 200 };
const mesh = { keyFile: "mesh.key" };

/** The hosts to which a host has a connection of the mesh, whoever dialled. */
async function linkedWith(host: Host): Promise<readonly string[]> {
  const { stdout } = await host.run(["ss", "-Htn", "state", "established"]);
  const isOfMesh = (endpoint: string): boolean => endpoint.endsWith(`:${meshPort}`);
  const peers = stdout.split("\n").flatMap((line) => {
    const [, , local = "", remote = ""] = line.trim().split(/\s+/);
    return isOfMesh(local) || isOfMesh(remote) ? [remote.replace(/^\[(::ffff:)?|\]?:\d+$/g, "")] : [];
  });
  return [...new Set(peers)].sort();
}

/** What one that only listens to the mesh, and knows one member of it, is told of. */
async function listedOver(
  host: Host,
  site: Deployment,
  seed: { readonly address: string },
  count: number,
): Promise<readonly string[]> {
  const flags = ["--transport", "mesh", "--seed", `ws://${seed.address}:${meshPort}`];
  const { listing } = await discoverFrom(host, site, ...flags, "--wait", String(count), "--timeout", "25s");
  return listing.nodes.map(({ info }) => info).sort();
}

describeNet("members that nobody gave a seed", () => {
  test("find each other by mDNS, and whoever comes to one of them from afar is linked with all", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 4 });
    const [router, one, other, remote] = lan.hosts;
    const [afar] = await moveBehind(lan, router, [remote]);
    const near = await deploy(join(folder.path, "near"), { transports: { mdns: {}, mesh } });
    await Promise.all([one, other].map((host) => announceServer(host, near)));
    await expect.poll(() => linkedWith(one), patience).toEqual([other.address]);
    expect(await listedOver(router, near, other, 2)).toEqual([one.name, other.name]);

    const seeds = [`ws://${one.address}:${meshPort}`];
    const far = await deploy(join(folder.path, "far"), { transports: { mesh: { ...mesh, seeds } } });
    await announceServer(remote, far);
    await expect.poll(() => linkedWith(remote), patience).toEqual([one.address, other.address]);
    await expect.poll(() => linkedWith(other), patience).toEqual([one.address, afar?.address].sort());
    expect(await listedOver(router, near, other, 3)).toEqual([one.name, other.name, remote.name]);
    // Nor does whoever only listens need a seed: the one that no multicast comes from is heard of by the mesh.
    const { listing } = await discoverFrom(router, near, "--wait", "3", "--timeout", "25s");
    expect(listing.nodes.map(({ info }) => info).sort()).toEqual([one.name, other.name, remote.name]);
  }, 120_000);

  test("and of which no multicast arrives, find each other by ARP, where their mesh usually is", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3 });
    const [one, other, bystander] = lan.hosts;
    await lan.dropMulticast(true);
    // An LLM server that has no mesh beside it costs a dial, and nothing else.
    await serve(bystander, "ollama", 11_434);
    const mute = await deploy(join(folder.path, "mute"), { transports: { mesh } });
    const asking = await deploy(join(folder.path, "asking"), { transports: { arp: { sweep: true }, mesh } });
    await announceServer(one, mute);
    await announceServer(other, asking);
    await expect.poll(() => linkedWith(one), patience).toEqual([other.address]);
    expect(await listedOver(bystander, asking, one, 2)).toEqual([one.name, other.name]);
  }, 120_000);
});
