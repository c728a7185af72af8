import { expect } from "vitest";
import { createLan } from "../src/lan.ts";
import { packetGun } from "../src/packet-gun.ts";
import { packetTap } from "../src/packet-tap.ts";
import { describeNet, needsPeers } from "../src/vitest.ts";

describeNet("packets", () => {
  const test = needsPeers(["python"]);

  test("a tap records what a gun fires, byte for byte, on both ends and at the switch", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const taps = await Promise.all([a, b, lan.switch].map(packetTap));
    await using gun = await packetGun(a);
    const payload = Buffer.from([0, 0, 0x84, 0, 0xff, 10, 13, 0]);
    const startMs = Number(process.hrtime.bigint()) / 1e6;
    await gun.fire(payload);
    for (const [index, tap] of taps.entries()) {
      const packet = await tap.find(() => true);
      expect(packet).toEqual({
        tMs: expect.any(Number),
        outgoing: index === 0,
        srcMac: a.mac,
        dstMac: "01:00:5e:00:00:fb",
        src: a.address,
        dst: "224.0.0.251",
        sport: 5353,
        dport: 5353,
        ttl: 255,
        fragment: false,
        payload,
      });
      expect(packet.tMs).toBeGreaterThan(startMs);
      expect(await tap.stop()).toEqual([packet]);
    }
  });

  test("a gun chooses the ports, the TTL, the target and its family", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await a.run(["ip", "addr", "add", "192.0.2.1/32", "dev", "eth0"]);
    await using tap = await packetTap(b);
    await using gun = await packetGun(a);
    await gun.fire(Buffer.from("legacy"), { fromPort: 40_000 });
    await gun.fire(Buffer.from("unicast"), { to: b.address, toPort: 40_001, ttl: 64 });
    await gun.fire(Buffer.from("group"), { to: "ff02::fb" });
    await gun.fire(Buffer.from("foreign"), { from: "192.0.2.1" });
    await tap.find(({ payload }) => payload.toString() === "foreign");
    expect(tap.all()).toMatchObject([
      { src: a.address, dst: "224.0.0.251", sport: 40_000, dport: 5353, ttl: 255 },
      { src: a.address, dst: b.address, dstMac: b.mac, sport: 5353, dport: 40_001, ttl: 64 },
      { src: a.linkLocal, dst: "ff02::fb", dstMac: "33:33:00:00:00:fb", ttl: 255 },
      { src: "192.0.2.1", dst: "224.0.0.251" },
    ]);
  });

  test("a datagram beyond the MTU is one record, marked as a fragment", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await using tap = await packetTap(b);
    await using gun = await packetGun(a);
    await gun.fire(Buffer.alloc(3000));
    await gun.fire(Buffer.alloc(3000), { to: "ff02::fb" });
    await gun.fire(Buffer.from("end"));
    await tap.find(({ payload }) => payload.toString() === "end");
    expect(tap.all().map(({ fragment }) => fragment)).toEqual([true, true, false]);
  });

  test("a gun passes on why the kernel refused", async () => {
    await using lan = await createLan({ hosts: 1 });
    await using gun = await packetGun(lan.hosts[0]);
    await expect(gun.fire(Buffer.from("?"), { to: "192.0.2.9" })).rejects.toThrow("Network is unreachable");
    await expect(gun.fire(Buffer.alloc(70_000))).rejects.toThrow("Message too long");
    await gun.fire(Buffer.from("!"));
  });
});
