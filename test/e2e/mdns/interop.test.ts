import { announceOriginal, browseZeroconf, createLan, packetTap, startAvahi } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { announce, discover, listen, watch } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";

describeNet("three hosts", () => {
  needsPeers(["python-zeroconf", "avahi"])(
    "list a node of ours and one of the Python original's, whoever looks",
    async () => {
      await using lan = await createLan({ hosts: 3 });
      const [a, b, c] = lan.hosts;
      const [browser, avahi] = await Promise.all([browseZeroconf(c), startAvahi(c)]);
      await Promise.all([listen(a, 8000), listen(b, 8000)]);
      await announce(a, "--port", "8000", "--info", "gpu-box-01");
      await announceOriginal(b, { name: "gpu-box-02", info: "gpu-box-02" });

      const { code, listing } = await discover(c, "--wait", "2", "--timeout", "60s");
      expect(code).toBe(0);
      expect(listing.warnings).toEqual([]);
      const byInfo = new Map(listing.nodes.map((node) => [node.info, node]));
      expect([...byInfo.keys()].sort()).toEqual(["gpu-box-01", "gpu-box-02"]);
      expect(byInfo.get("gpu-box-01")).toMatchObject({
        host: a.address,
        port: 8000,
        url: `http://${a.address}:8000/chat`,
        sources: [{ transport: "mdns" }],
      });
      expect(byInfo.get("gpu-box-02")).toMatchObject({
        id: `${b.address}:8000`,
        host: b.address,
        port: 8000,
        url: `http://${b.address}:8000/chat`,
        sources: [{ transport: "mdns" }],
      });
      for (const { host, port } of listing.nodes) {
        const answers = await c.run(["bash", "-c", `exec 3<>/dev/tcp/${host}/${port}`]);
        expect(answers.code).toBe(0);
      }

      const seen = (await avahi.browse()).filter(({ family }) => family === "IPv4");
      expect(seen).toHaveLength(2);
      for (const [host, info] of [
        [a, "info=gpu-box-01"],
        [b, "info=gpu-box-02"],
      ] as const) {
        expect(seen.find(({ address }) => address === host.address)).toMatchObject({
          port: 8000,
          txt: expect.arrayContaining([info]),
        });
      }
      const added = await browser.find(({ properties }) => properties?.info === "gpu-box-01");
      expect(added).toMatchObject({ addresses: expect.arrayContaining([a.address]), port: 8000 });
    },
  );

  needsPeers(["python-zeroconf"])("see each other's goodbyes, ours and the original's", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    const [browser, seen] = await Promise.all([browseZeroconf(c), watch(c)]);
    const ours = await announce(a, "--port", "8000", "--info", "ours", "--no-check");
    const original = await announceOriginal(b, { info: "original" });
    await browser.find(({ event, properties }) => event === "add" && properties.info === "ours");
    await seen.event(({ type, node }) => type === "up" && node?.info === "ours");
    await seen.event(({ type, node }) => type === "up" && node?.info === "original");

    ours.kill("SIGTERM");
    await original.goodbye();
    await browser.find(({ event, name }) => event === "remove" && name.startsWith("ours-"));
    const down = await Promise.all(
      ["ours", "original"].map((info) =>
        seen.event(({ type, node }) => type === "down" && node?.info === info),
      ),
    );
    expect(down.map(({ reason }) => reason)).toEqual(["goodbye", "goodbye"]);
  });

  needsPeers(["python-zeroconf"])("repair the original's loopback and bridge addresses", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await announceOriginal(a, { name: "loopback", address: "127.0.0.1" });
    await announceOriginal(b, { name: "bridge", address: "172.17.0.1" });
    const { listing } = await discover(c, "--wait", "2", "--timeout", "60s");
    expect(listing.nodes.map(({ host }) => host).sort()).toEqual([a.address, b.address]);
  });

  needsPeers(["avahi"])("find what avahi publishes, also beside it on one host and port 5353", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const [here, there] = await Promise.all([startAvahi(a), startAvahi(b)]);
    await there.publish({ name: "Küche 2.0", port: 11_434, txt: ["info=ollama; küche", "path=/v1"] });
    await announce(a, "--port", "8000", "--info", "beside", "--no-check");
    const { listing } = await discover(a, "--wait", "2", "--timeout", "60s");
    expect(listing.nodes.map(({ info, host, port }) => ({ info, host, port }))).toEqual(
      expect.arrayContaining([
        { info: "ollama; küche", host: b.address, port: 11_434 },
        { info: "beside", host: a.address, port: 8000 },
      ]),
    );
    for (const avahi of [here, there]) {
      expect((await avahi.browse()).flatMap(({ txt }) => txt)).toContain("info=beside");
    }
  });
});

describeNet("what leaves a host", () => {
  needsPeers(["python"])("carries the address of the interface it leaves on, and TTL 255", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await a.run(["ip", "link", "add", "docker0", "type", "bridge"]);
    await a.run(["ip", "addr", "add", "172.17.0.1/16", "dev", "docker0"]);
    await a.run(["ip", "link", "set", "docker0", "up"]);
    await using tap = await packetTap(b);
    await announce(a, "--port", "8000", "--info", "gpu-box-01", "--no-check");
    const list = watchedList(await watch(b));
    await list.until((nodes) => nodes.some(({ addresses }) => addresses.length > 1));
    expect(list.nodes()).toMatchObject([
      { host: a.address, addresses: [a.address, expect.stringMatching(/^fe80:.*%eth0$/)] },
    ]);
    const packets = (await tap.stop()).filter(({ src }) => src === a.address);
    expect(packets.length).toBeGreaterThan(0);
    expect(new Set(packets.map(({ ttl }) => ttl))).toEqual(new Set([255]));
  });
});
