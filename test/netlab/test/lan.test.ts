import { expect, test } from "vitest";
import { createLan } from "../src/lan.ts";
import { describeNet } from "../src/vitest.ts";
import { listen } from "./listener.ts";

describeNet("a LAN", () => {
  test("carries multicast from every host to all", async () => {
    await using lan = await createLan({ hosts: 3 });
    const listeners = await Promise.all(lan.hosts.map(listen));
    for (const [index, listener] of listeners.entries()) listener.stdin.write(`hello ${index}`);
    for (const listener of listeners) {
      for (const [index, host] of lan.hosts.entries()) {
        await listener.line((line) => line === `${host.address} says hello ${index}`);
      }
    }
  });

  test("gives each host a name, addresses of both families, loopback, and no way out", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [, host] = lan.hosts;
    expect(host).toMatchObject({ name: "h2", address: "10.77.0.2", interface: "eth0" });
    expect((await host.run(["hostname"])).stdout).toBe("h2\n");
    const { stdout } = await host.run([process.execPath, "-p", "JSON.stringify(os.networkInterfaces())"]);
    const interfaces = JSON.parse(stdout);
    expect(Object.keys(interfaces)).toEqual(["lo", "eth0"]);
    expect(interfaces.eth0).toMatchObject([
      { address: host.address, mac: host.mac, cidr: "10.77.0.2/24" },
      { address: host.linkLocal, mac: host.mac },
    ]);
    expect((await host.run(["ip", "route", "show", "default"])).stdout).toBe("");
    expect((await host.run(["ip", "-6", "addr", "show", "tentative"])).stdout).toBe("");
  });

  test("does not hear another LAN", async () => {
    await using one = await createLan({ hosts: 2 });
    await using other = await createLan({ hosts: 2 });
    const [a, b, c, d] = await Promise.all([...one.hosts, ...other.hosts].map(listen));
    a?.stdin.write("here");
    await b?.line((line) => line === "10.77.0.1 says here");
    c?.stdin.write("there");
    await d?.line((line) => line === "10.77.0.1 says there");
    expect(b?.lines).not.toContain("10.77.0.1 says there");
    expect(d?.lines).not.toContain("10.77.0.1 says here");
  });

  test("has room for fifty hosts that know each other's MAC addresses", async () => {
    await using lan = await createLan({ hosts: 50 });
    const last = lan.hosts[49];
    const { stdout } = await last.run(["ip", "neigh", "show", "nud", "permanent"]);
    expect(stdout.trim().split("\n")).toHaveLength(2 * 49 + 2);
    expect(stdout).toContain(`10.77.0.1 dev eth0 lladdr ${lan.hosts[0].mac} PERMANENT`);
  });

  test("refuses a number of hosts that a subnet cannot hold", async () => {
    await expect(createLan({ hosts: 0 })).rejects.toThrow(
      new RangeError("hosts is 0, but a LAN has 1 to 240 of them"),
    );
    await expect(createLan({ hosts: 241 })).rejects.toThrow(RangeError);
  });
});
