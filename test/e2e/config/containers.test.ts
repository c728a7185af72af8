import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { infosOf, lists, watchedList } from "../command/watched-list.ts";
import { moveBehind } from "../mesh/subnets.ts";
import { ip } from "../network/wiring.ts";
import { announceServer, deploy, watchFrom } from "./deployment.ts";

/** The configuration that the page shows for containers on a bridge, with the seed that there is here. */
async function configOf(seed: string): Promise<object> {
  const page = await readFile(new URL("../../../docs/containers.md", import.meta.url), "utf8");
  const [, text = ""] = /```jsonc\n(.*?)```/s.exec(page) ?? [];
  return JSON.parse(text.replace("10.0.0.1", seed));
}

/** Rules of Docker for a bridge: they translate outgoing packets, and forward one published port. */
async function translate(machine: Host, container: string, port: number): Promise<void> {
  const rules = `table ip docker {
    chain out { type nat hook postrouting priority srcnat; ip saddr 10.77.1.0/24 oifname "eth0" masquerade; }
    chain in { type nat hook prerouting priority dstnat; iifname "eth0" tcp dport ${port} dnat to ${container}:${port}; }
  }`;
  const { code, stderr } = await machine.run(["nft", "-f", "-"], { input: rules });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

const askScript = `fetch(process.argv[1]).then(({ status }) => console.log(status), ({ cause }) => console.log(cause.code))`;

describeNet("containers", () => {
  test("are found over the mesh where they are on a bridge, and over mDNS with the host's network", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 4, neighbors: "learned" });
    const [machine, seed, seeker, container] = lan.hosts;
    const [bridged] = await moveBehind(lan, machine, [container]);
    for (const host of [seed, seeker]) await ip(host, "route del 10.77.1.0/24");
    await translate(machine, bridged?.address ?? "", 8000);
    const site = await deploy(join(folder.path, "site"), await configOf(seed.address));
    await announceServer(seed, site);
    await announceServer(container, site);

    const list = watchedList(await watchFrom(seeker, site));
    await list.until(lists(...[seed.name, container.name].sort()));
    const found = list.nodes().find(({ info }) => info === container.name);
    expect(found).toMatchObject({ host: machine.address, port: 8000 });
    const { stdout } = await seeker.run([process.execPath, "-e", askScript, found?.url ?? ""], { cwd: "/" });
    expect(Number(stdout)).toBeGreaterThanOrEqual(200);

    const multicast = watchedList(await watchFrom(seeker, site, "--transport", "mdns"));
    await announce(container, "--port", "8002", "--info", "on-a-bridge", "--no-check", "--transport", "mdns");
    await announce(machine, "--port", "8001", "--info", "with-the-host", "--no-check", "--transport", "mdns");
    // Later announcements are heard later.
    await multicast.until((nodes) => nodes.some(({ info }) => info === "with-the-host"));
    expect(infosOf(multicast.nodes())).toEqual(["with-the-host"]);
  });
});
