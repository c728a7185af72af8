import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createLan, type Host } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { announce, listen } from "./command.ts";
import { addBridge, plug } from "./wiring.ts";

const script = fileURLToPath(new URL("./identify.mjs", import.meta.url));

interface Seen {
  readonly found: readonly unknown[];
}

/** Whether a line says that the document is there. */
function isServed(line: string): boolean {
  return line.includes("the document of the server is on port 8741");
}

/** What a host makes of another; one that answers nothing within the patience of a question is asked again. */
async function identifyServer(from: Host, address: string): Promise<Seen> {
  let seen = await identify(from, address);
  while (seen.found.length === 0) seen = await identify(from, address);
  return seen;
}

/** What a host makes of another. */
async function identify(from: Host, address: string, port?: number): Promise<Seen> {
  const { stdout } = await from.run([process.execPath, script, address, ...(port ? [String(port)] : [])]);
  return JSON.parse(stdout);
}

describeNet("the document of an announced server", () => {
  test.concurrent("tells of it where multicast does not arrive, over both families, while it answers", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await lan.dropMulticast(true);
    const server = await listen(a, 4_711);
    const announcer = await announce(a, "--port", "4711", "--info", "gpu-box-01", "--document-port");
    await announcer.stderrLine(isServed);

    const expected = { port: 4_711, info: "gpu-box-01", server: "lmserv", path: "/chat", document: true };
    for (const address of [a.address, `${a.linkLocal}%eth0`]) {
      expect((await identifyServer(b, address)).found).toEqual([expect.objectContaining(expected)]);
    }

    server.kill("SIGKILL");
    await announcer.stderrLine((line) => line.includes("said goodbye"));
    expect((await identify(b, a.address, 8_741)).found).toEqual([{ kind: "silent", why: "refused" }]);
  });

  test.concurrent("is where the announcement is", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await addBridge(lan, "br1");
    await plug(lan, a, { name: "eth1", address: "10.78.0.1", bridge: "br1" });
    await plug(lan, b, { name: "eth1", address: "10.78.0.2", bridge: "br1" });
    const announcer = await announce(
      a,
      "--port",
      "8000",
      "--no-check",
      "--document-port",
      "--interface",
      "eth1",
    );
    await announcer.stderrLine(isServed);
    expect((await identify(b, "10.78.0.1", 8_741)).found).toMatchObject([{ kind: "server" }]);
    expect((await identify(b, a.address, 8_741)).found).toEqual([{ kind: "silent", why: "refused" }]);
  });

  test.concurrent("is one server's; the next one of the machine waits for the port and is announced all the same", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const first = await announce(a, "--port", "8000", "--info", "first", "--no-check", "--document-port");
    await first.stderrLine(isServed);
    const next = await announce(a, "--port", "8001", "--info", "next", "--no-check", "--document-port");
    await next.stderrLine((line) => line.includes("warning: no document on port 8741"));
    expect((await identifyServer(b, a.address)).found).toMatchObject([{ info: "first", port: 8_000 }]);
    first.kill("SIGTERM");
    await next.stderrLine(isServed);
    expect((await identifyServer(b, a.address)).found).toMatchObject([{ info: "next", port: 8_001 }]);
  });
});

describeNet("a host that does not answer", () => {
  test.concurrent("is nothing, and is told as such where it is asked at a port", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    await identify(b, a.address);
    await lan.filter("hole", `iifname "${b.name}" oifname "${a.name}" drop`);
    const dropped = await identify(b, a.address);
    expect(dropped.found).toEqual([]);
    const silent = { kind: "silent", why: "no-connection" };
    expect((await identify(b, a.address, 8_741)).found).toEqual([silent]);
    // Nobody has this address.
    expect((await identify(b, "10.77.0.99", 8_741)).found).toEqual([silent]);
  });
});
