import { createLan, type Host, type Lan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, discover } from "../command/command.ts";
import { ip } from "../network/wiring.ts";
import { endpointsOf, serve, tableLoad } from "./neighbors.ts";

/** Gives the hosts addresses all over 10.77.0.0/22; returns them. */
async function spread(seeker: Host, others: readonly Host[]): Promise<string[]> {
  await ip(seeker, `addr del ${seeker.address}/24 dev eth0`);
  await ip(seeker, `addr add ${seeker.address}/22 brd + dev eth0`);
  const addresses = others.map((_, index) => `10.77.${index % 4}.${100 + index}`);
  for (const [index, host] of others.entries()) {
    await ip(host, `addr del ${host.address}/24 dev eth0`);
    await ip(host, `addr add ${addresses[index]}/22 brd + dev eth0`);
    await serve(host, "lmserv", 8000);
  }
  return addresses;
}

/** Other programs of the machine share the table, and the sweep gives way to them. */
const patiently = ["--transport", "arp", "--sweep", "--wait", "8", "--timeout", "100s"];

/** Browses by mDNS, again and again, until told to stop; returns how many each browse found. */
async function browseBeside(lan: Lan<3>, until: { readonly isOver: boolean }): Promise<number[]> {
  const [a, b, browser] = lan.hosts;
  await Promise.all(
    [a, b].map((host) => announce(host, "--port", "8000", "--info", host.name, "--no-check")),
  );
  const found: number[] = [];
  do {
    const { listing } = await discover(browser, "--wait", "2", "--timeout", "60s");
    found.push(listing.nodes.length);
  } while (!until.isOver);
  return found;
}

describeNet("a sweep of a /22", () => {
  test("finds everybody without filling the kernel's table, and without harm to whoever is beside it", async () => {
    await using lan = await createLan({ hosts: 9, neighbors: "learned" });
    await using beside = await createLan({ hosts: 3, neighbors: "learned" });
    const [seeker, ...others] = lan.hosts;
    const addresses = await spread(seeker, others);
    const before = await tableLoad(seeker);
    const sweep = { isOver: false };
    const browsing = browseBeside(beside, sweep);
    const { code, listing } = await discover(seeker, ...patiently).finally(() => {
      sweep.isOver = true;
    });
    expect(code).toBe(0);
    expect(endpointsOf(listing)).toEqual(addresses.map((address) => `${address}:8000`).sort());
    expect(listing.warnings).toEqual([]);
    expect(new Set(await browsing)).toEqual(new Set([2]));
    expect((await tableLoad(seeker)).refusals).toBe(before.refusals);
  });
});
