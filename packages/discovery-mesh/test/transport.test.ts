import { createSocket } from "node:dgram";
import dns from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeInfo } from "@lmserv/discovery-core";
import type { TransportContext } from "@lmserv/discovery-core/transport";
import { ephemeralIdentity } from "@lmserv/discovery-signing";
import { decode, encode } from "dns-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKey } from "../src/index.ts";
import { testCertificate } from "./link/certificate.ts";
import { nextPort, startMember, type TestMember } from "./member.ts";

// Whole members over real links on loopback.

let stateDirectory = "";

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "lmserv-mesh-"));
});
afterAll(() => rm(stateDirectory, { recursive: true }));

/** Resolves once each of them lists exactly all of them. */
async function whole(members: readonly TestMember[]): Promise<void> {
  const names = members.map(({ name }) => name).sort();
  await expect.poll(() => members.map(({ listed }) => listed())).toEqual(members.map(() => names));
}

describe("members", () => {
  test("find each other over wss with certificates of their own, also those that nobody named", async () => {
    const [first, second, third] = [nextPort(), nextPort(), nextPort()];
    const shared = { keys: generateKey(), stateDirectory, seeds: [`wss://127.0.0.1:${first}`] };
    await using a = await startMember("a", { ...shared, port: first, tls: testCertificate("member") });
    await using b = await startMember("b", { ...shared, port: second, tls: testCertificate("relay") });
    await using c = await startMember("c", { ...shared, port: third, tls: testCertificate("relay") });
    await whole([a, b, c]);
  });

  test("without TLS have no part in a mesh with it", async () => {
    const port = nextPort();
    const shared = { keys: generateKey(), stateDirectory };
    await using a = await startMember("a", { ...shared, port, tls: testCertificate("member") });
    await using b = await startMember("b", { ...shared, port: 0, seeds: [`ws://127.0.0.1:${port}`] });
    await expect.poll(() => b.reports.map(({ code }) => code)).toEqual(["NO_ANSWER"]);
    expect([a.listed(), b.listed()]).toEqual([["a"], ["b"]]);
  });

  test("with TLS only connect to no plain socket that a member's record names", async () => {
    let connections = 0;
    const trap = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await once(trap.listen(0, "127.0.0.1"), "listening");
    await using _ = { [Symbol.asyncDispose]: async () => void trap.close() };
    const url = `ws://127.0.0.1:${(trap.address() as AddressInfo).port}`; // Of a server that listens on a port.
    const port = nextPort();
    const shared = { keys: generateKey(), stateDirectory, seeds: [`wss://127.0.0.1:${port}`] };
    await using a = await startMember("a", { ...shared, port, tls: testCertificate("member") });
    await using b = await startMember("b", { ...shared, port: 0, tlsOnly: true });
    await using c = await startMember("c", { ...shared, port: 0, advertise: [url] });
    await whole([a, b, c]);
    await expect.poll(() => b.missed).toContainEqual({ url, reason: "exposed" });
    expect(connections).toBe(0);
    await using d = await startMember("d", { ...shared, port: 0 });
    await expect.poll(() => d.missed).toContainEqual({ url, reason: expect.not.stringMatching("exposed") });
    expect(connections).toBeGreaterThan(0);
  });

  test("with TLS only do not listen without a certificate", async () => {
    const options = { keys: generateKey(), stateDirectory, tlsOnly: true, port: nextPort() };
    await expect(startMember("a", options)).rejects.toThrow(
      `127.0.0.1:${options.port} has no TLS here, and tlsOnly allows nothing else`,
    );
  });

  test("dial nodes that other transports found, where these name the port of a mesh", async () => {
    const port = nextPort();
    const shared = { keys: generateKey(), stateDirectory };
    await using a = await startMember("a", { ...shared, port });
    await using b = await startMember("b", { ...shared, port: nextPort(), follow: finding(port) });
    await whole([a, b]);
  });

  test("do not, where they are told not to", async () => {
    const follow = (): never => {
      throw new Error("nobody is to be found");
    };
    const options = { keys: generateKey(), stateDirectory, follow, candidates: false };
    await using a = await startMember("a", { ...options, port: nextPort() });
    await whole([a]);
  });

  test("that nobody can dial are linked by dialling, and know each other by those whom they dialled", async () => {
    const port = nextPort();
    const shared = { keys: generateKey(), stateDirectory };
    const seeds = [`ws://127.0.0.1:${port}`];
    await using a = await startMember("a", { ...shared, port });
    await using b = await startMember("b", { ...shared, port: 0, seeds });
    await whole([a, b]);
    await using c = await startMember("c", { ...shared, port: 0, seeds });
    await whole([a, b, c]);
    await expect.poll(() => [a, b, c].map(({ relayed }) => relayed())).toEqual([[], ["c"], ["b"]]);
  });

  test("keep their peers under their own ids, so that machines can share a folder", async () => {
    const folder = await mkdtemp(join(stateDirectory, "shared-"));
    const [first, second] = [nextPort(), nextPort()];
    const shared = { keys: generateKey(), stateDirectory: folder, seeds: [`ws://127.0.0.1:${first}`] };
    {
      await using a = await startMember("a", { ...shared, port: first });
      await using b = await startMember("b", { ...shared, port: second });
      await whole([a, b]);
    }
    const peers = (await readdir(folder)).filter((file) => file.endsWith(".json"));
    expect(peers).toEqual(Array(2).fill(expect.stringMatching(/^mesh-default-[0-9a-f]{32}\.json$/)));
  });

  test("of which two have one identity are one, and the user is told", async () => {
    const [first, second, third] = [nextPort(), nextPort(), nextPort()];
    const identity = { ...ephemeralIdentity(Date.now()), keyFile: "/state/k.key" };
    const shared = { keys: generateKey(), stateDirectory, seeds: [`ws://127.0.0.1:${first}`] };
    await using a = await startMember("a", { ...shared, port: first });
    await using b = await startMember("b", { ...shared, port: second, identity });
    await whole([a, b]);
    await using copy = await startMember("copy", { ...shared, port: third, identity });
    const conflicts = (): unknown[] => [...b.reports, ...copy.reports];
    const message = expect.stringMatching(
      /another process has our key.*where its folder is a copy, delete .*k\.key there/,
    );
    await expect.poll(conflicts).toContainEqual(expect.objectContaining({ code: "NAME_CONFLICT", message }));
    await expect.poll(() => a.listed().length).toBe(2);
  });

  test("find each other by the SRV records of a name", async () => {
    const [first, second] = [nextPort(), nextPort()];
    const name = "_lmserv-mesh._tcp.mesh.test";
    await using _ = await dnsServer(name, [
      { target: "127.0.0.1", port: first },
      { target: "127.0.0.1", port: second },
    ]);
    const shared = { keys: generateKey(), stateDirectory, seeds: [`dns+srv://${name}`] };
    await using a = await startMember("a", { ...shared, port: first });
    await using b = await startMember("b", { ...shared, port: second });
    await whole([a, b]);
  });

  test("find each other again after a restart without any seed", async () => {
    const [first, second] = [nextPort(), nextPort()];
    const shared = { keys: generateKey(), stateDirectory };
    await using a = await startMember("a", { ...shared, port: first });
    {
      await using b = await startMember("b", { ...shared, port: second, seeds: [`ws://127.0.0.1:${first}`] });
      await whole([a, b]);
    }
    await expect.poll(() => a.listed()).toEqual(["a"]);
    await using b = await startMember("b again", { ...shared, port: second });
    await whole([a, b]);
  });

  test("replace their key one after the other, and stay together", async () => {
    const [first, second] = [nextPort(), nextPort()];
    const [old, young] = [generateKey(), generateKey()];
    const files = [old, `${old}\n${young}`, `${young}\n${old}`, young];
    const seeds = [`ws://127.0.0.1:${second}`];
    for (const [step, keys] of files.entries()) {
      // One is always a step ahead of the other.
      const ahead = files[step + 1] ?? young;
      await using b = await startMember("b", { keys: ahead, stateDirectory, port: second });
      await using a = await startMember("a", { keys, stateDirectory, port: first, seeds });
      await whole([a, b]);
    }
  });

  test("beyond the limit are refused, told so, and told what is for larger fleets", async () => {
    const [first, second, third] = [nextPort(), nextPort(), nextPort()];
    const shared = { keys: generateKey(), stateDirectory, maxPeers: 2 };
    const seeds = [`ws://127.0.0.1:${first}`];
    await using a = await startMember("a", { ...shared, port: first });
    await using b = await startMember("b", { ...shared, port: second, seeds });
    await whole([a, b]);
    await using c = await startMember("c", { ...shared, port: third, seeds });
    const full = {
      code: "REGISTRY_FULL",
      message: expect.stringMatching(/2 members, which is its limit; .* etcd or nats/),
    };
    await expect.poll(() => [...c.reports]).toMatchObject([full]);
    expect([...a.reports]).toMatchObject([full]);
    expect([a.listed(), b.listed(), c.listed()]).toEqual([["a", "b"], ["a", "b"], ["c"]]);
  });

  test("take an observer in beyond that, which sees all and is seen by nobody", async () => {
    const [first, second] = [nextPort(), nextPort()];
    const shared = { keys: generateKey(), stateDirectory, maxPeers: 2 };
    const seeds = [`ws://127.0.0.1:${first}`];
    await using a = await startMember("a", { ...shared, port: first });
    await using b = await startMember("b", { ...shared, port: second, seeds });
    await whole([a, b]);
    await using o = await startMember("o", { ...shared, port: 0, seeds, role: "observer" });
    await expect.poll(() => o.listed()).toEqual(["a", "b"]);
    expect([a.listed(), b.listed(), o.reports]).toEqual([["a", "b"], ["a", "b"], []]);
  });
});

test("an observer that nobody told of a member says so, and a member that may be the first does not", async () => {
  const shared = { keys: generateKey(), stateDirectory };
  await using a = await startMember("a", { ...shared, port: nextPort() });
  await using o = await startMember("o", { ...shared, port: 0, role: "observer" });
  const message = "no member of the mesh was reached: no seed is named, and nothing else tells of a member";
  await expect.poll(() => [...o.reports]).toMatchObject([{ code: "NO_ANSWER", message }]);
  await whole([a]);
  expect(a.reports).toEqual([]);
});

/** As if mDNS had found a node on this machine that has its mesh there. */
function finding(port: number): NonNullable<TransportContext["follow"]> {
  const sources = [{ transport: "mdns", trust: "announced" }];
  const node = {
    id: "f".repeat(32),
    host: "127.0.0.1",
    attributes: { mesh: `${port}` },
    self: false,
    sources,
  };
  return (onChange) => {
    onChange({ kind: "up", node: node as unknown as NodeInfo });
    return () => {};
  };
}

/** Makes this process ask a DNS server that knows nothing but the SRV records of one name. */
async function dnsServer(
  name: string,
  services: readonly { readonly target: string; readonly port: number }[],
): Promise<AsyncDisposable> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, { address, port }) => {
    const { id, questions = [] } = decode(bytes);
    const isMeant = questions.some((question) => question.type === "SRV" && question.name === name);
    const answers = isMeant
      ? services.map((service) => ({ type: "SRV" as const, name, ttl: 1, data: service }))
      : [];
    socket.send(encode({ type: "response", id: id ?? 0, questions, answers }), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const before = dns.getServers();
  dns.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    async [Symbol.asyncDispose]() {
      dns.setServers(before);
      socket.close();
    },
  };
}
