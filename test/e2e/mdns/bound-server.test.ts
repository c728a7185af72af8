import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, discover, watch } from "../command/command.ts";
import { addBridge, plug } from "../network/wiring.ts";

/** Serves HTTP on port 8000 of this address alone; another one by way of its input. */
const program = `
  const { createServer } = require("node:http");
  const listen = (host) =>
    createServer((_, response) => response.writeHead(404).end()).listen({ port: 8000, host }, () => console.log("on " + host));
  listen(process.argv[1]);
  require("node:readline").createInterface({ input: process.stdin }).on("line", listen);`;

describeNet("a server that is bound to one of two LANs", () => {
  test("is announced there alone, and on the other when it is bound to that as well", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await addBridge(lan, "br1");
    await plug(lan, a, { name: "eth1", address: "10.7.0.1", bridge: "br1" });
    await plug(lan, c, { name: "eth1", address: "10.7.0.3", bridge: "br1" });
    await c.run(["ip", "link", "set", "eth0", "down"]);
    const server = await a.spawn([process.execPath, "-e", program, a.address]);
    await server.line((line) => line === `on ${a.address}`);

    const near = await watch(b);
    const far = await watch(c);
    const announcer = await announce(a, "--port", "8000", "--info", "bound");
    await announcer.stderrLine((line) => line.includes("so that hosts on eth1 cannot reach it"));
    const up = ({ type }: { readonly type: string }): boolean => type === "up";
    expect((await near.event(up)).node).toMatchObject({ host: a.address, addresses: [a.address] });
    expect((await discover(c)).listing.nodes).toEqual([]);

    server.stdin.write("10.7.0.1\n");
    await server.line((line) => line === "on 10.7.0.1");
    await announcer.stderrLine((line) => line.includes("answers on every address of this machine now"));
    expect((await far.event(up)).node).toMatchObject({ host: "10.7.0.1", addresses: ["10.7.0.1"] });
  });
});
