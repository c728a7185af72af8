import { join } from "node:path";
import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { serve } from "../arp/neighbors.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { announceServer, deploy, watchFrom } from "../config/deployment.ts";
import { meshPort } from "./member.ts";
import { moveBehind } from "./subnets.ts";

const patience = { timeout: 120_000, interval: 200 };
const mesh = { keyFile: "mesh.key" };

const urlOf = ({ address }: Host): string => `ws://${address}:${meshPort}`;

/** Hosts with a mesh connection to a host, in either direction. */
async function linkedWith(host: Host): Promise<readonly string[]> {
  const { stdout } = await host.run(["ss", "-Htn", "state", "established"]);
  const isOfMesh = (endpoint: string): boolean => endpoint.endsWith(`:${meshPort}`);
  const peers = stdout.split("\n").flatMap((line) => {
    const [, , local = "", remote = ""] = line.trim().split(/\s+/);
    return isOfMesh(local) || isOfMesh(remote) ? [remote.replace(/^\[(::ffff:)?|\]?:\d+$/g, "")] : [];
  });
  return [...new Set(peers)].sort();
}

describeNet("members that nobody gave a seed", () => {
  test("find each other by mDNS, and whoever comes to one of them from afar is linked with all", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 4 });
    const [router, one, other, remote] = lan.hosts;
    const [afar] = await moveBehind(lan, router, [remote]);
    const near = await deploy(join(folder.path, "near"), {});
    const both = ["--transport", "mdns,mesh", "--cluster", "lab", "--key-file", "mesh.key"];
    await Promise.all([one, other].map((host) => announceServer(host, near, ...both)));
    await expect.poll(() => linkedWith(one), patience).toEqual([other.address]);

    const seed = ["--transport", "mesh", "--cluster", "lab", "--key-file", "mesh.key", "--seed", urlOf(one)];
    await announceServer(remote, near, ...seed);
    await expect.poll(() => linkedWith(remote), patience).toEqual([one.address, other.address]);
    await expect.poll(() => linkedWith(other), patience).toEqual([one.address, afar?.address].sort());
    // A mere listener needs no seed either: the mesh tells of the host that no multicast comes from.
    const list = watchedList(await watchFrom(router, near, ...both));
    await list.until(lists(...[one.name, other.name, remote.name].sort()));
  });

  test("and of which no multicast arrives, find each other by ARP, where their mesh usually is", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3, neighbors: "learned" });
    const [one, other, bystander] = lan.hosts;
    await lan.dropMulticast(true);
    // An LLM server without a mesh costs a dial, and nothing else.
    await serve(bystander, "ollama", 11_434);
    const mute = await deploy(join(folder.path, "mute"), { transports: { mesh } });
    const asking = await deploy(join(folder.path, "asking"), { transports: { arp: { sweep: true }, mesh } });
    await announceServer(one, mute);
    await announceServer(other, asking);
    await expect.poll(() => linkedWith(one), patience).toEqual([other.address]);
    const list = watchedList(await watchFrom(bystander, asking, "--transport", "mesh", "--seed", urlOf(one)));
    await list.until(lists(...[one.name, other.name].sort()));
  });
});
