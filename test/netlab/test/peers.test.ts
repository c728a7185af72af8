import { expect } from "vitest";
import { createLan } from "../src/lan.ts";
import { packetTap } from "../src/packet-tap.ts";
import { startAvahi } from "../src/peers/avahi.ts";
import { announceOriginal, browseZeroconf } from "../src/peers/python-zeroconf.ts";
import { describeNet, needsPeers } from "../src/vitest.ts";

describeNet("peers", () => {
  needsPeers(["python-zeroconf", "avahi"])(
    "the Python original is seen by python-zeroconf and by avahi, until its goodbye",
    async () => {
      await using lan = await createLan({ hosts: 3 });
      const [a, b, c] = lan.hosts;
      const [original, browser, avahi] = await Promise.all([
        announceOriginal(a, { name: "gpu-box-01", port: 8001, info: "señal=1" }),
        browseZeroconf(b),
        startAvahi(c),
      ]);
      const name = "gpu-box-01._lmserv._tcp.local.";
      expect(await browser.find(({ event }) => event === "add")).toEqual({
        event: "add",
        tMs: expect.any(Number),
        name,
        addresses: [a.address],
        port: 8001,
        server: name,
        properties: { info: "señal=1" },
      });
      expect(await avahi.browse()).toEqual([
        {
          interface: "eth0",
          family: "IPv4",
          name: "gpu-box-01",
          type: "_lmserv._tcp",
          domain: "local",
          hostname: "gpu-box-01._lmserv._tcp.local",
          address: a.address,
          port: 8001,
          txt: ["info=señal=1"],
        },
      ]);

      await original.goodbye();
      expect((await original.process.exited).code).toBe(0);
      expect(await browser.find(({ event }) => event === "remove")).toMatchObject({ name, server: null });
    },
  );

  needsPeers(["python-zeroconf"])("the Python original can announce any address, and crash", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await using tap = await packetTap(b);
    await using browser = await browseZeroconf(b);
    const original = await announceOriginal(a, { address: "127.0.0.1" });
    const added = await browser.find(({ event }) => event === "add");
    expect(added).toMatchObject({ name: "h1._lmserv._tcp.local.", addresses: ["127.0.0.1"], port: 8000 });
    original.process.kill("SIGKILL");
    expect(await original.process.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect((await tap.stop()).map(({ src }) => src)).toContain(a.address);
  });

  needsPeers(["python-zeroconf", "avahi"])("what avahi publishes is seen by python-zeroconf", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const [browser, avahi] = await Promise.all([browseZeroconf(b), startAvahi(a)]);
    const service = await avahi.publish({ name: "Küche 2.0", port: 11_434, txt: ["info=a;b", "path=/v1"] });
    expect(await browser.find(({ event }) => event === "add")).toMatchObject({
      name: "Küche 2.0._lmserv._tcp.local.",
      addresses: expect.arrayContaining([a.address]),
      port: 11_434,
      server: "h1.local.",
      properties: { info: "a;b", path: "/v1" },
    });
    const found = (await avahi.browse()).filter(({ family }) => family === "IPv4");
    expect(found).toMatchObject([{ name: "Küche 2.0", txt: expect.arrayContaining(["info=a;b"]) }]);

    service.kill("SIGTERM");
    await browser.find(({ event }) => event === "remove");
  });
});
