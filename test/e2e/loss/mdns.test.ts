import { createLan } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { announce, discover, watch } from "../command/command.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { plug, unplug } from "../network/wiring.ts";
import { isStaleBy, lossesOf } from "./events.ts";
import { takePort } from "./take-port.ts";

const test = needsPeers(["python"]);
const mdnsPort = 5_353;

describeNet("mDNS whose sockets are taken away", () => {
  test("has stale nodes, then fresh ones and those that are gone, and announces again", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, watcher] = lan.hosts;
    await announce(a, "--port", "8000", "--info", "a", "--no-check", "--transport", "mdns");
    const dying = await announce(b, "--port", "8000", "--info", "b", "--no-check", "--transport", "mdns");
    const seen = await watch(watcher, "--transport", "mdns");
    const list = watchedList(seen);
    await list.until(lists("a", "b"));

    const takers = [await takePort(a, mdnsPort, "udp"), await takePort(watcher, mdnsPort, "udp")];
    await list.until((nodes) => nodes.length === 2 && nodes.every(isStaleBy("ADDRESS_IN_USE")));
    dying.kill("SIGKILL");
    await dying.exited;
    await Promise.all(takers.map((taker) => taker[Symbol.asyncDispose]()));

    const gone = await seen.event(({ type }) => type === "down");
    expect(gone).toMatchObject({ reason: "unreachable", node: { info: "b" } });
    await list.until((nodes) => lists("a")(nodes) && nodes.every(isStaleBy(null)));
    expect(lossesOf(seen)).toEqual(["lost mdns ADDRESS_IN_USE", "recovered mdns"]);
    const { listing } = await discover(b, "--transport", "mdns", "--wait", "1", "--timeout", "60s");
    expect(listing.nodes).toMatchObject([{ info: "a" }]);
  });
});

describeNet("mDNS whose last interface is taken away", () => {
  test("has stale nodes, then fresh ones and those that are gone, and announces again", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, watcher] = lan.hosts;
    await announce(a, "--port", "8000", "--info", "a", "--no-check", "--transport", "mdns");
    const dying = await announce(b, "--port", "8000", "--info", "b", "--no-check", "--transport", "mdns");
    const seen = await watch(watcher, "--transport", "mdns");
    const list = watchedList(seen);
    await list.until(lists("a", "b"));

    for (const host of [a, watcher]) await unplug(lan, host, "eth0");
    await list.until((nodes) => nodes.length === 2 && nodes.every(isStaleBy("NO_INTERFACE")));
    dying.kill("SIGKILL");
    await dying.exited;
    for (const host of [a, watcher]) await plug(lan, host, { name: "eth0", address: host.address });

    const gone = await seen.event(({ type }) => type === "down");
    expect(gone).toMatchObject({ reason: "unreachable", node: { info: "b" } });
    await list.until((nodes) => lists("a")(nodes) && nodes.every(isStaleBy(null)));
    expect(lossesOf(seen)).toEqual(["lost mdns NO_INTERFACE", "recovered mdns"]);
    const { listing } = await discover(b, "--transport", "mdns", "--wait", "1", "--timeout", "60s");
    expect(listing.nodes).toMatchObject([{ info: "a" }]);
  });
});
