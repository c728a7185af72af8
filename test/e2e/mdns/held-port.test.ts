import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, watch } from "../command/command.ts";
import { lists, watchedList } from "../command/watched-list.ts";

const holder = fileURLToPath(new URL("../doctor/hold-port.mjs", import.meta.url));

/** A program that has UDP port 5353 of IPv4 for itself. */
async function holdPort(host: Host): Promise<HostProcess> {
  const process = await host.spawn([globalThis.process.execPath, holder]);
  await process.line((line) => line === "held");
  return process;
}

describeNet("UDP port 5353 of IPv4, held by another program", () => {
  test("is taken once it is free, by announcer and browser, while IPv6 runs on", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    // So that only IPv4 can bring the news.
    await lan.filter("ipv6", "ip6 daddr ff02::fb drop");
    const holders = [await holdPort(a), await holdPort(b)];
    const announcer = await announce(a, "--port", "8000", "--info", "ours", "--no-check");
    await announcer.stderrLine((line) => line.includes("cannot be used on eth0 over IPv4"));
    const seen = await watch(b);
    await seen.process.line((line) => line.includes("cannot be used on eth0 over IPv4"));
    const list = watchedList(seen);
    await Promise.all(holders.map((one) => one[Symbol.asyncDispose]()));
    await list.until(lists("ours"));
    expect(list.nodes()).toMatchObject([{ host: a.address }]);
  });
});
