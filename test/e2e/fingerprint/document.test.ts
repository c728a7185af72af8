import { fileURLToPath } from "node:url";
import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, discover, listen, lmserv, watch } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";
import { addBridge, plug } from "../network/wiring.ts";
import { serve } from "./look-alike.ts";

const script = fileURLToPath(new URL("./identify.mjs", import.meta.url));

interface Seen {
  readonly found: readonly unknown[];
}

/** True if a line reports the document. */
function isServed(line: string): boolean {
  return line.includes("the document about the announced servers is on port 8741");
}

/** Identification of another host; repeated if nothing answers within the patience of a question. */
async function identifyServer(from: Host, address: string): Promise<Seen> {
  let seen = await identify(from, address);
  while (seen.found.length === 0) seen = await identify(from, address);
  return seen;
}

/** Identification of another host. */
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
    expect((await identify(b, "10.78.0.1", 8_741)).found).toMatchObject([{ kind: "document" }]);
    expect((await identify(b, a.address, 8_741)).found).toEqual([{ kind: "silent", why: "refused" }]);
  });

  test.concurrent("lists every server of its machine, and a sweep lists them with their identities", async () => {
    await using lan = await createLan({ hosts: 2, neighbors: "learned" });
    const [a, b] = lan.hosts;
    await lan.dropMulticast(true);
    const servers = [["ollama", 11_434] as const, ["llama.cpp", 4_712] as const, ["ollama", 4_713] as const];
    for (const [kind, port] of servers) await serve(a, kind, port);
    const announcer = await announce(a, "--ports", "4712,4713", "--document-port");
    for (const [, port] of servers)
      await announcer.stderrLine((line) => line.includes(`announced `) && line.includes(` port ${port} `));

    const sweep = ["--transport", "arp", "--sweep", "--ports", "8741"];
    const { listing } = await discover(b, ...sweep, "--wait", "3", "--timeout", "60s");
    const nodes = listing.nodes.toSorted((one, other) => one.port - other.port);
    // The server that has the key's own identity is the first one ever; the others have their port in theirs.
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(3);
    expect(new Set(nodes.map(({ id, port }) => id.replace(`.${port}`, ""))).size).toBe(1);
    expect(nodes).toMatchObject([
      { host: a.address, port: 4_712, server: "llama.cpp", models: ["first"] },
      { host: a.address, port: 4_713, server: "ollama", models: ["first"] },
      { host: a.address, port: 11_434, server: "ollama", models: ["first"] },
    ]);
  });

  test.concurrent("tells a gateway from a server that looks the same, on both sides", async () => {
    await using lan = await createLan({ hosts: 2, neighbors: "learned" });
    const [a, b] = lan.hosts;
    await lan.dropMulticast(true);
    await serve(a, "ollama", 4_711);
    await serve(a, "gateway", 11_434);
    const announcer = await a.spawn(lmserv("announce", "-v", "--ports", "4711"));
    await announcer.stderrLine((line) => line.includes("port 11434 is not announced: its document says"));
    await announcer.stderrLine((line) => line.includes("announced ollama on port 4711"));
    const sweep = ["--transport", "arp", "--sweep", "--ports", "11434,4711"];
    const list = watchedList(await watch(b, ...sweep));
    await list.until((nodes) => nodes.some(({ port, server }) => port === 4_711 && server === "ollama"));
    const { listing } = await discover(b, ...sweep);
    for (const { port } of [...list.nodes(), ...listing.nodes]) expect(port).toBe(4_711);
  });

  test.concurrent("is one process'; the next one waits for the port and announces all the same", async () => {
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
    // No host has this address.
    expect((await identify(b, "10.77.0.99", 8_741)).found).toEqual([silent]);
  });
});
