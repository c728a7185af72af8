import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelServer, modelServer } from "@lmserv/test-near";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Announcing, loopback } from "../announcing.ts";
import { info, served } from "../harness.ts";

const near = "192.168.1.7";
let host: Announcing;
let server: ModelServer;

beforeEach(async () => {
  host = new Announcing();
  server = await modelServer();
  const { machine } = host;
  machine.interfaces = {
    lo: [info(loopback, true)],
    eth0: [info(near, false), info("198.51.100.7", false), info("fe80::7", false, 2), info("fd00::7", false)],
  };
  machine.servers.clear();
  machine.servers.set(server.port, served("vllm", { apis: ["openai"], models: ["llama3"] }));
  machine.accepting.add(loopback);
});

afterEach(() => server[Symbol.asyncDispose]());

async function share(...argv: string[]): Promise<void> {
  await host.start("--ports", `${server.port}`, "--share", ...argv);
  await host.machine.until(() => /announced|not announced/.test(host.machine.stderr.text));
}

async function end(): Promise<void> {
  host.running.signal("SIGTERM");
  expect(await host.running.ended).toBe(0);
}

/** Port of the system at which the share of an address listens. */
function portAt(address: string): number | undefined {
  return host.machine.gateways.get(`${address} ${server.port}`);
}

function ask(port: number | undefined, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const body = JSON.stringify({ model: "llama3", messages: [] });
  return fetch(`http://${loopback}:${port}/v1/chat/completions`, { method: "POST", body, headers });
}

describe("lmserv announce --share", () => {
  test("offers a server on loopback at private addresses, at its port, and says so", async () => {
    await share();
    expect([...host.machine.gateways.keys()]).toEqual(
      [near, "fe80::7%eth0", "fd00::7"].map((address) => `${address} ${server.port}`),
    );
    expect(host.machine.stderr.text).toContain(
      `sharing vllm on port ${server.port} at ${near}, fe80::7%eth0, fd00::7, without a key: every host that reaches`,
    );
    expect(host.heard.at(-1)?.node).toMatchObject({ port: server.port });
    expect((await ask(portAt(near))).status).toBe(200);
    const { status } = await fetch(`http://${loopback}:${portAt(near)}/api/delete`, { method: "DELETE" });
    expect(status).toBe(404);
    expect(server.requests).toHaveLength(1);
    await end();
    await expect(ask(portAt(near))).rejects.toThrow();
    expect(host.kinds().at(-1)).toBe("goodbye");
  });

  test("is off unless it is asked for, and needless for a server that others reach", async () => {
    await host.start("--ports", `${server.port}`);
    await host.machine.until(() => host.machine.stderr.text.includes("not announced"));
    await end();
    host.machine.accepting.add(near);
    await share();
    expect(host.machine.gateways.size).toBe(0);
    await end();
  });

  test("without a private address needs a key", async () => {
    host.machine.interfaces = { ...host.machine.interfaces, eth0: [info("198.51.100.7", false)] };
    await share();
    expect(host.machine.stderr.text).toContain("add --share-key-file FILE");
    expect(host.machine.gateways.size).toBe(0);
    await end();
  });

  test("with a key is at every address, asks for it, and announces that", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lmserv-share-"));
    const file = join(folder, "share.key");
    await writeFile(file, "0123456789abcdef\n", { mode: 0o600 });
    await share("--share-key-file", file);
    const port = portAt("198.51.100.7");
    expect((await ask(port)).status).toBe(401);
    expect((await ask(port, { authorization: "Bearer 0123456789abcdef" })).status).toBe(200);
    expect(host.heard.at(-1)?.node).toMatchObject({ auth: "required" });
    await end();
    await rm(folder, { recursive: true });
  });

  test("follows the addresses of the machine", async () => {
    await share();
    host.machine.interfaces = { ...host.machine.interfaces, eth0: [info("10.0.0.9", false)] };
    await host.machine.clock.advance(10_000);
    await host.machine.until(() => host.machine.stderr.text.includes("at 10.0.0.9, without a key"));
    await expect(ask(portAt(near))).rejects.toThrow();
    await end();
  });

  test("ends with the server", async () => {
    await share();
    host.machine.servers.clear();
    await host.machine.clock.advance(10_000);
    await host.machine.until(() => host.kinds().at(-1) === "goodbye");
    await expect(ask(portAt(near))).rejects.toThrow();
    await end();
  });

  test("where another program has the port says so, and shares at the other addresses", async () => {
    host.machine.taken.set(`${near} ${server.port}`, "EADDRINUSE");
    await share();
    expect(host.machine.stderr.text).toContain(
      `the server on port ${server.port} is not shared at ${near}: another program has the port there`,
    );
    expect(portAt("fd00::7")).toBeDefined();
    await end();
  });

  test("speaks for no server with TLS", async () => {
    host.machine.servers.set(server.port, served("vllm", { scheme: "https" }));
    await share();
    expect(host.machine.stderr.text).toContain("is not shared: it speaks TLS");
    expect(host.machine.gateways.size).toBe(0);
    await end();
  });

  test.each([
    ["short", 0o600, /holds no key: one line of 16 to 1024 visible ASCII characters/],
    ["0123456789abcdef", 0o666, /group|others/],
  ])("with a key file that holds %j, of mode %o, ends before it shares", async (text, mode, message) => {
    const folder = await mkdtemp(join(tmpdir(), "lmserv-share-"));
    const file = join(folder, "share.key");
    await writeFile(file, text);
    await chmod(file, mode);
    expect(await host.machine.start("announce", "--share", "--share-key-file", file).ended).toBe(2);
    expect(host.machine.stderr.text).toMatch(message);
    expect(host.machine.gateways.size).toBe(0);
    await rm(folder, { recursive: true });
  });

  test.each([
    [["--port", "8000", "--no-check", "--share"], "'--share' cannot be used with option '--no-check'"],
    [["--share-key-file", "x"], "'--share-key-file' needs --share"],
    [["--share", "--share-key-file", "/nowhere"], "the key file /nowhere cannot be read"],
  ])("is refused as %j", async (argv, message) => {
    expect(await host.machine.start("announce", ...argv).ended).toBe(2);
    expect(host.machine.stderr.text).toContain(message);
  });
});
