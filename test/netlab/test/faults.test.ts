import { expect } from "vitest";
import { createLan } from "../src/lan.ts";
import { packetGun } from "../src/packet-gun.ts";
import { type PacketTap, packetTap } from "../src/packet-tap.ts";
import { describeNet, needsPeers } from "../src/vitest.ts";

const heard = (tap: PacketTap): readonly string[] => tap.all().map(({ payload }) => payload.toString());
const hears = (tap: PacketTap, text: string) => tap.find(({ payload }) => payload.toString() === text);
const linkLocalGroup = "ff02::fb";

describeNet("faults", () => {
  const test = needsPeers(["python"]);

  test("dropMulticast stops multicast of both families and leaves unicast", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await using tap = await packetTap(b);
    await using gun = await packetGun(a);
    const fireAll = async (text: string): Promise<void> => {
      await gun.fire(Buffer.from(`4 ${text}`));
      await gun.fire(Buffer.from(`6 ${text}`), { to: linkLocalGroup });
    };

    await lan.dropMulticast(true);
    await fireAll("dropped");
    await gun.fire(Buffer.from("unicast 4"), { to: b.address });
    await gun.fire(Buffer.from("unicast 6"), { to: b.linkLocal });
    await hears(tap, "unicast 4");
    await hears(tap, "unicast 6");
    expect(heard(tap)).toHaveLength(2);

    await lan.dropMulticast(false);
    await fireAll("passed");
    await hears(tap, "4 passed");
    await hears(tap, "6 passed");
    expect(heard(tap)).toHaveLength(4);
  });

  test("a cut host hears nothing, knows that the link is down, and keeps its address", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await using tap = await packetTap(b);
    await using gun = await packetGun(a);

    await b.cut();
    await gun.fire(Buffer.from("cut"));
    const cut = await b.run(["ip", "addr", "show", "eth0"]);
    expect(cut.stdout).toContain("NO-CARRIER");
    expect(cut.stdout).toContain(b.address);

    await b.heal();
    expect((await b.run(["ip", "link", "show", "eth0"])).stdout).not.toContain("NO-CARRIER");
    await gun.fire(Buffer.from("healed"));
    await hears(tap, "healed");
    expect(heard(tap)).toEqual(["healed"]);
  });

  test("lose drops about the share it is told, each copy for itself", async () => {
    const shots = 600;
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await using tapB = await packetTap(b);
    await using tapC = await packetTap(c);
    await using gun = await packetGun(a);

    await lan.lose(20);
    for (let shot = 0; shot < shots; shot++) await gun.fire(Buffer.from(`${shot}`));
    await lan.lose(0);
    await gun.fire(Buffer.from("end"));
    await hears(tapB, "end");
    await hears(tapC, "end");
    // 480 expected, standard deviation 9.8: six of them to either side.
    for (const tap of [tapB, tapC]) {
      expect(heard(tap).length).toBeGreaterThan(420);
      expect(heard(tap).length).toBeLessThan(540);
    }
    expect(heard(tapB)).not.toEqual(heard(tapC));
  });

  test("filter makes a hole in one direction, and closes it", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await using tapB = await packetTap(b);
    await using tapC = await packetTap(c);
    await using gun = await packetGun(a);

    await lan.filter("hole", `iifname "${a.name}" oifname "${b.name}" drop`);
    await gun.fire(Buffer.from("one"));
    await lan.filter("hole", null);
    await gun.fire(Buffer.from("two"));
    await hears(tapB, "two");
    await hears(tapC, "two");
    expect(heard(tapB)).toEqual(["two"]);
    expect(heard(tapC)).toEqual(["one", "two"]);
    await expect(lan.filter("hole", "nonsense")).rejects.toThrow("syntax error");
  });

  test("lose refuses what is no percentage", async () => {
    await using lan = await createLan({ hosts: 1 });
    await expect(lan.lose(101)).rejects.toThrow(new RangeError("percent is 101, but a loss is 0 to 100"));
    await expect(lan.lose(Number.NaN)).rejects.toThrow(RangeError);
  });
});
