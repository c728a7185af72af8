import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Machine, type Running, served } from "../harness.ts";
import { closed } from "../schemas.ts";

const loopback = "127.0.0.1";

let machine: Machine;
let running: Running;
let folder: string;

beforeEach(async () => {
  machine = new Machine();
  machine.accepting.add(loopback);
  machine.servers.set(8_000, served("vllm", { apis: ["openai"], models: ["llama3"] }));
  folder = await mkdtemp(join(tmpdir(), "lmserv-gateway-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function start(...argv: string[]): Promise<void> {
  running = machine.start("gateway", ...argv);
  await machine.until(() => /serving|no server can|lmserv: error/.test(machine.stderr.text));
}

async function end(): Promise<void> {
  running.signal("SIGTERM");
  expect(await running.ended).toBe(0);
  expect(machine.claims.size).toBe(0);
}

function url(endpoint: string = "127.0.0.1 8740"): string {
  return `http://${loopback}:${machine.gateways.get(endpoint)}`;
}

/** A file with a key, which others cannot write. */
async function keyFile(text: string, mode: number = 0o600): Promise<string> {
  const file = join(folder, "gateway.key");
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

/** Lines of the first events of a stream; later ones are dropped. */
async function firstEvents({ body }: Response, count: number): Promise<readonly unknown[]> {
  let text = "";
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    const lines = [...text.matchAll(/^data: (.*)$/gm)].map(([, line = ""]) => line);
    if (lines.length >= count && text.endsWith("\n\n"))
      return lines.slice(0, count).map((line) => JSON.parse(line));
  }
  throw new Error("the stream has ended");
}

describe("lmserv gateway", () => {
  test("serves the servers of this machine on loopback, and says how to use it", async () => {
    await start();
    const list = await (await fetch(`${url()}/v1/models`)).json();
    expect(list).toMatchObject({ data: [{ id: "llama3", owned_by: "vllm" }] });
    expect(machine.stderr.text).toContain("listening on http://127.0.0.1:8740\n");
    expect(machine.stderr.text).toContain("base URL http://127.0.0.1:8740/v1, any key\n");
    expect(machine.stderr.text).toContain("OLLAMA_HOST=http://127.0.0.1:8740\n");
    expect(machine.stderr.text).toMatch(/serving llama3 \(.+\)\n/);
    expect(machine.stdout.text).toBe("");
    await end();
  });

  test("tells its list as `discover --json` does", async () => {
    await start();
    const answer = await fetch(`${url()}/lmserv/nodes`);
    const document = await answer.json();
    expect(closed.discover(document), JSON.stringify(closed.discover.errors)).toBe(true);
    expect(document).toMatchObject({ nodes: [{ server: "vllm", self: true, health: { state: "healthy" } }] });
    const events = await fetch(`${url()}/lmserv/events`);
    const [reset, up] = await firstEvents(events, 2);
    expect(closed.watch(reset)).toBe(true);
    expect(closed.watch(up), JSON.stringify(closed.watch.errors)).toBe(true);
    expect(up).toMatchObject({ type: "up", node: { server: "vllm" } });
    await end();
  });

  test("is ready once this machine and the network were looked at", async () => {
    await start();
    expect((await fetch(`${url()}/readyz`)).status).toBe(503);
    await machine.clock.advance(5_000);
    expect((await fetch(`${url()}/readyz`)).status).toBe(200);
    await end();
  });

  test("asks the network, and announces nothing there", async () => {
    const kinds: string[] = [];
    const receive = (frame: Uint8Array): void => {
      kinds.push(JSON.parse(new TextDecoder().decode(frame)).kind);
    };
    machine.network.join({ receive, failed: () => {} });
    await start();
    await machine.clock.advance(60_000);
    await end();
    expect(kinds.length).toBeGreaterThan(0);
    expect(kinds).not.toContain("presence");
  });

  test("says that it is a gateway to whoever sweeps", async () => {
    await start();
    const document = await (await fetch(`${url()}/.well-known/lmserv.json`)).json();
    expect(document).toEqual({ schemaVersion: 1, role: "gateway", servers: [] });
    await end();
  });

  test("takes aliases", async () => {
    await start("--alias", "small=phi", "--alias", "small=llama3");
    const { data } = (await (await fetch(`${url()}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["llama3", "small"]);
    await end();
  });

  test("tells when a server goes", async () => {
    await start();
    machine.accepting.clear();
    await machine.clock.advance(60_000);
    await machine.until(() => machine.stderr.text.endsWith("no server can be used yet\n"));
    await end();
  });

  test("listens in Ollama's place if that is free, and goes on if not", async () => {
    await start("--as", "ollama");
    expect([...machine.gateways.keys()]).toEqual(["127.0.0.1 8740", "127.0.0.1 11434"]);
    await end();
    machine = new Machine();
    machine.accepting.add(loopback);
    machine.servers.set(11_434, served("ollama", { apis: ["ollama"], models: ["llama3"] }));
    machine.taken.set("127.0.0.1 11434", "EADDRINUSE");
    await start("--as", "ollama");
    expect(machine.stderr.text).toContain("cannot listen on 127.0.0.1:11434: ollama has it");
    await end();
  });
});

describe("lmserv gateway --listen", () => {
  test("for other machines needs a key", async () => {
    expect(await machine.start("gateway", "--listen", "0.0.0.0").ended).toBe(2);
    expect(machine.stderr.text).toMatch(
      /--listen: gateway\.listen holds 0\.0\.0\.0:8740, which other machines reach.*add --key-file FILE/,
    );
  });

  test("with a key opens with that alone", async () => {
    const key = "0123456789abcdef";
    await start("--listen", "0.0.0.0:9000", "--key-file", await keyFile(`${key}\n`));
    const models = `${url("0.0.0.0 9000")}/v1/models`;
    expect((await fetch(models)).status).toBe(401);
    expect((await fetch(models, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
    expect(machine.stderr.text).not.toContain(key);
    await end();
  });

  test.each([
    ["", 0o600, /is empty/],
    ["short", 0o600, /holds no key; a key is one line of 16 to 1024 visible ASCII characters/],
    ["0123456789abcdef", 0o666, /group|others/],
  ])("with a file that holds %j, of mode %o, ends before it listens", async (text, mode, message) => {
    const file = await keyFile(text, mode);
    expect(await machine.start("gateway", "--key-file", file).ended).toBe(2);
    expect(machine.stderr.text).toContain("--key-file: gateway.keyFile");
    expect(machine.stderr.text).toMatch(message);
    expect(machine.gateways.size).toBe(0);
  });

  test.each(["nowhere", "10.0.0.1:0", "10.0.0.1:70000", "[::1", "example.com:80"])(
    "%s is refused",
    async (text) => {
      expect(await machine.start("gateway", "--listen", text).ended).toBe(2);
      expect(machine.stderr.text).toContain("It is not an address and a port, such as 127.0.0.1:8740");
    },
  );

  test("on a port in use names who has it, where that can be known", async () => {
    machine.taken.set("127.0.0.1 8740", "EADDRINUSE");
    machine.claims.set(8_740, 4_711);
    expect(await machine.start("gateway").ended).toBe(2);
    expect(machine.stderr.text).toContain("cannot listen on 127.0.0.1:8740: lmserv (process 4711) has it");
    machine.claims.clear();
    expect(await machine.start("gateway").ended).toBe(2);
    expect(machine.stderr.text).toContain("cannot listen on 127.0.0.1:8740: another program has it");
  });
});

describe("the key of a node", () => {
  const box = { id: "box", info: "box", port: 8_000, server: "vllm", apis: ["openai"], models: ["phi"] };

  test("that goes over plain HTTP is told of, once", async () => {
    machine.network.appear(box);
    const file = await keyFile("k");
    await start("--node-key", `198.18.0.1:8000=${file}`);
    await machine.until(() => machine.stderr.text.includes("phi (box)"));
    expect(
      machine.stderr.text.match(/the key of box goes to 198\.18\.0\.1:8000 over plain HTTP/g),
    ).toHaveLength(1);
    await end();
  });

  test("that wants TLS does not go without", async () => {
    machine.network.appear(box);
    await start("--node-key", `https://198.18.0.1:8000=${await keyFile("k")}`);
    await machine.until(() => machine.stderr.text.includes("phi (box)"));
    expect(machine.stderr.text).not.toContain("over plain HTTP");
    await end();
  });
});

describe("a node that cannot be used", () => {
  const box = { id: "box", info: "box", port: 8_000, server: "lmserv", apis: ["lmserv"], models: [] };

  test("for want of a key is told of with what gives it one, once, and to clients", async () => {
    machine.servers.clear();
    machine.network.appear({ ...box, auth: "required" });
    await start();
    const cause =
      "box is not used: it wants a key, and nodeKeys has none for 198.18.0.1:8000; --node-key 198.18.0.1:8000=FILE gives it one";
    await machine.until(() => machine.stderr.text.includes(cause));
    machine.network.appear({ ...box, auth: "required", info: "box", models: ["phi"] });
    await machine.clock.advance(1_000);
    expect(machine.stderr.text.split(cause)).toHaveLength(2);
    const answer = await fetch(`${url()}/chat`, { method: "POST", body: '{"prompt":"hi"}' });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe(
      "no node can serve this now: box: it wants a key, and nodeKeys has none for 198.18.0.1:8000",
    );
    await end();
  });

  test("while it is silent is told of with the cause", async () => {
    machine.health = "silent";
    await start();
    expect(machine.stderr.text).toMatch(/ is not used: .+\n/);
    expect(machine.stderr.text).toMatch(/no server can be used yet\n$/);
    await end();
  });
});

describe("options of lmserv gateway", () => {
  test.each([
    [["--alias", "small"], "An alias is like small=phi3"],
    [["--allow-origin", "chat.example"], "An origin is like https://chat.example"],
    [["--allow-origin", "https://chat.example/path"], "An origin is like https://chat.example"],
    [["--node-key", "10.0.0.7:8000"], "It is like 10.0.0.7:8000=box.key"],
    [
      ["--node-key", "10.0.0.7:8000=/nowhere"],
      "--node-key: gateway.nodeKeys.10.0.0.7:8000 names the file /nowhere, which cannot be read",
    ],
    [
      ["--ca-file", "/nowhere.pem"],
      "--ca-file: gateway.caFile names the file /nowhere.pem, which cannot be read",
    ],
    [["--node-ca-file", "10.0.0.7:8000"], "It is like 10.0.0.7:8000=box.pem"],
    [
      ["--node-ca-file", "10.0.0.7:8000=/nowhere.pem"],
      "--node-ca-file: gateway.nodeCaFiles.10.0.0.7:8000 names the file /nowhere.pem, which cannot be read",
    ],
    [["--trust", "some"], "Allowed choices are any, signed"],
  ])("that are wrong, %j, are refused", async (argv, message) => {
    expect(await machine.start("gateway", ...argv).ended).toBe(2);
    expect(machine.stderr.text).toContain(message);
  });
});

describe("the section of the local endpoint in the configuration file", () => {
  const place = "/etc/lmserv/lmserv.config.jsonc";
  const configure = (gateway: unknown, file: string = place): void => {
    machine.files.set(file, JSON.stringify({ version: 1, gateway }, null, 2));
  };

  test("has the keys of the flags, which go over it", async () => {
    const key = "0123456789abcdef";
    configure({
      listen: ["127.0.0.1:9001", "0.0.0.0:9002"],
      as: "ollama",
      keyFile: await keyFile(key),
      allowHost: ["chat.lan"],
      allowOrigin: ["https://chat.example"],
      alias: { small: ["phi", "llama3"], other: ["llama3"] },
    });
    await start("--listen", "127.0.0.1:9003", "--alias", "other=phi");
    expect([...machine.gateways.keys()]).toEqual(["127.0.0.1 9003", "127.0.0.1 11434"]);
    const models = `${url("127.0.0.1 9003")}/v1/models`;
    expect((await fetch(models)).status).toBe(401);
    const headers = { authorization: `Bearer ${key}`, origin: "https://chat.example" };
    const { data } = (await (await fetch(models, { headers })).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["llama3", "small"]);
    expect(machine.stderr.text).not.toContain(key);
    await end();
  });

  test("decides where nothing else does", async () => {
    configure({ listen: ["127.0.0.1:9001"], trust: "signed" });
    await start();
    expect([...machine.gateways.keys()]).toEqual(["127.0.0.1 9001"]);
    expect(machine.stderr.text).toContain("only nodes that sign their announcements are used");
    await end();
  });

  test.each([
    [{ listen: ["nowhere"] }, /json.*:4:5: gateway\.listen holds "nowhere"; It is not an address and a port/],
    [
      { listen: ["0.0.0.0"] },
      /json.*:4:5: gateway\.listen holds 0\.0\.0\.0:8740, which other machines reach/,
    ],
    [{ listen: "127.0.0.1" }, /:4:5: gateway\.listen must be a list/],
    [{ lisen: [] }, /:4:5: gateway\.lisen is unknown; did you mean "listen"/],
    [{ key: "0123456789abcdef" }, /:4:5: gateway\.key is unknown/],
    [{ keyFile: "/nowhere" }, /:4:5: gateway\.keyFile names the file \/nowhere, which cannot be read/],
    [{ caFile: "/nowhere" }, /:4:5: gateway\.caFile names the file \/nowhere, which cannot be read/],
    [{ nodeCaFiles: { box: "/nowhere" } }, /:5:7: gateway\.nodeCaFiles\.box names the file \/nowhere/],
    [{ nodeKeys: { box: "/nowhere" } }, /:5:7: gateway\.nodeKeys\.box names the file \/nowhere/],
    [{ allowOrigin: ["chat"] }, /:4:5: gateway\.allowOrigin holds "chat"; An origin is like/],
    [{ trust: "some" }, /:4:5: gateway\.trust must be one of any, signed/],
    [{ alias: { small: [] } }, /:5:7: gateway\.alias\.small must be a list of 1 to 64/],
  ])("with a mistake, %j, ends the command with its place", async (gateway, message) => {
    configure(gateway);
    expect(await machine.start("gateway").ended).toBe(2);
    expect(machine.stderr.text).toMatch(message);
    expect(machine.gateways.size).toBe(0);
  });

  test.each([
    ["nothing", "holds no certificate"],
    ["-----BEGIN CERTIFICATE-----\nAAAA", "holds a certificate that is cut off"],
    [
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      "holds a broken certificate (number 1 of 1)",
    ],
  ])("that names a file of authorities with %j ends the command with its place", async (text, fault) => {
    const file = "/etc/lmserv/box.pem";
    machine.files.set(file, text);
    for (const [key, value] of [
      ["caFile", "box.pem"],
      ["nodeCaFiles", { "10.0.0.7:8000": file }],
    ] as const) {
      configure({ [key]: value });
      expect(await machine.start("gateway").ended).toBe(2);
      expect(machine.stderr.text).toMatch(new RegExp(`gateway\\.${key}.* names the file ${file}, which`));
      expect(machine.stderr.text).toContain(fault);
    }
    expect(machine.gateways.size).toBe(0);
  });

  test.each([
    { listen: ["0.0.0.0:9000"] },
    { allowHost: ["evil.example"] },
    { allowOrigin: ["https://evil.example"] },
    { caFile: "evil.pem" },
    { nodeCaFiles: { box: "evil.pem" } },
  ])("of a file that was only found in the working folder opens nothing: %j", async (gateway) => {
    configure({ keyFile: "evil.key", ...gateway }, "/home/me/lmserv.config.jsonc");
    expect(await machine.start("gateway").ended).toBe(2);
    expect(machine.stderr.text).toMatch(/grants access to the endpoint or trust.*name the file: --config/);
  });

  test("is read in the environment too", async () => {
    machine.env.LMSERV_GATEWAY__LISTEN = "0.0.0.0:9000";
    machine.env.LMSERV_GATEWAY__KEY = "0123456789abcdef";
    await start();
    expect((await fetch(`${url("0.0.0.0 9000")}/v1/models`)).status).toBe(401);
    await end();
  });

  test("is nothing to other commands, but for its form", async () => {
    configure({ keyFile: "/nowhere" });
    expect(await machine.run(3_000, "discover")).toBe(1);
    machine.stdout.text = "";
    expect(await machine.run(0, "config", "print")).toBe(0);
    expect(machine.stdout.text).toMatch(/gateway\.keyFile = "\/nowhere" +# .*:4:5\n/);
    expect(machine.stdout.text).toMatch(/gateway\.trust = "any" +# default\n/);
  });
});
