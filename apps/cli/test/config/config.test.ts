import { plugin as mesh } from "@lmserv/discovery-mesh";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";
import { Machine } from "../harness.ts";
import { closed, published } from "../schemas.ts";

const file = "/home/me/lmserv.config.jsonc";
const box = { id: "box-1", port: 8000, info: "gpu-box-01" };

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  const transport = memory({ network: machine.network, name: "arp" });
  const firstPassMs = async () => 2_000;
  machine.plugins.set("arp", machine.factory(transport, { announces: false, firstPassMs }));
});

function configure(transports: unknown, path: string = file): void {
  machine.files.set(path, JSON.stringify({ version: 1, transports }, null, 2));
}

function made(): Record<string, unknown> {
  return Object.fromEntries(machine.made.map(({ options, context }) => [context.name, options]));
}

describe("the configuration file", () => {
  it.each([
    ["--config", ["--config", "other.jsonc"], {}],
    ["LMSERV_CONFIG", [], { LMSERV_CONFIG: "/home/me/other.jsonc" }],
  ])("is that of %s", async (_, argv, env) => {
    configure({ mdns: {} });
    configure({ mdns: { interfaces: ["eth0"] } }, "/home/me/other.jsonc");
    Object.assign(machine.env, env);
    await machine.run(3_000, "discover", "-q", ...argv);
    expect(made()).toEqual({ mdns: { interfaces: ["eth0"] } });
  });

  it("is found, and its preset chooses", async () => {
    machine.files.set(file, '{ "version": 1, "preset": "office" }');
    await machine.run(5_000, "discover", "-q");
    expect(made()).toEqual({ mdns: {}, arp: { sweep: true } });
  });

  it("yields to the environment, and that to a flag", async () => {
    configure({ mdns: { interfaces: ["file0"] } });
    machine.env.LMSERV_TRANSPORTS__MDNS__INTERFACES = "env0";
    await machine.run(3_000, "discover", "-q");
    await machine.run(3_000, "discover", "-q", "--interface", "eth0");
    expect(machine.made.map(({ options }) => options)).toEqual([
      { interfaces: ["env0"] },
      { interfaces: ["eth0"] },
    ]);
  });

  it("counts for announcements", async () => {
    configure({ mdns: { interfaces: ["eth0"] } });
    const running = machine.start("announce", "--port", "8000", "--info", "box", "--no-check");
    await machine.until(() => machine.stderr.text.includes("announced"));
    running.signal("SIGTERM");
    expect(await running.ended).toBe(0);
    expect(machine.stderr.text).toContain('announced port 8000 as "box", over mdns on eth0');
  });

  it("may choose nothing that announces, and then nothing is announced", async () => {
    configure({ arp: {} });
    expect(await machine.start("announce", "--port", "8000").ended).toBe(2);
    expect(machine.stderr.text).toContain("cannot announce");
  });
});

describe("a mistake in the configuration", () => {
  it.each([
    [
      ["discover"],
      '{ "version": 1,\n  "transports": { "arp": { "seep": true } } }',
      /\.jsonc:2:.*transports\.arp\.seep is unknown; did you mean "sweep"\?/,
    ],
    [["announce", "--port", "1"], '{ "version": 1, "transports": {', /lmserv\.config\.jsonc:1:/],
    [["discover", "--watch"], '{ "version": 2 }', /lmserv\.config\.jsonc:1:.*version/],
    [
      ["discover", "--preset", "ofice"],
      "",
      /--preset: preset is "ofice", which is no preset; did you mean "office"\?/,
    ],
    [["discover", "--config", "none.jsonc"], "", /--config: the file \/home\/me\/none\.jsonc does not exist/],
    [
      ["discover", "--config", file],
      '{ "version": 1, "transports": { "bus": {} } }',
      /@lmserv\/discovery-bus.*npm install/,
    ],
    [
      ["discover"],
      '{ "version": 1, "transports": { "bus": {} } }',
      /a file that was only found in the working folder loads no code; if you trust that folder, name the file: --config/,
    ],
    [
      ["discover", "--transport", "bus"],
      '{ "version": 1 }',
      /needs the package @lmserv\/discovery-bus.*\(configured by \/home\/me\/lmserv\.config\.jsonc\)$/,
    ],
  ])("%j %s", async (argv, content, message) => {
    if (content !== "") machine.files.set(file, content);
    expect(await machine.start(...argv).ended).toBe(2);
    expect(machine.stdout.text).toBe("");
    expect(machine.stderr.lines).toEqual([expect.stringMatching(message)]);
    expect(machine.network.sent).toBe(0);
  });
});

it("says that an optional transport is not installed, and goes on", async () => {
  machine.network.appear(box);
  configure({ mdns: {}, bus: { optional: true } });
  expect(await machine.run(3_000, "discover")).toBe(0);
  expect(machine.stderr.text).toMatch(/warning: .*needs the package @lmserv\/discovery-bus/);
});

describe("a search with a fallback", () => {
  it("looks until the fallback has been through once", async () => {
    await machine.run(5_000, "discover", "--json", "--preset", "office");
    expect(JSON.parse(machine.stdout.text)).toMatchObject({ durationMs: 3_200 });
  });

  it("finds what only that hears", async () => {
    const silence = new MemoryNetwork();
    machine.plugins.set("mdns", machine.factory(memory({ network: silence, name: "mdns" })));
    machine.network.appear(box);
    const { ended } = machine.start("discover", "--json", "--preset", "office");
    await machine.until(() => silence.sent > 0);
    await machine.clock.advance(5_000);
    expect(await ended).toBe(0);
    expect(JSON.parse(machine.stdout.text)).toMatchObject({
      complete: true,
      nodes: [{ sources: [{ transport: "arp" }] }],
      warnings: [
        {
          code: "STANDBY_RUNS",
          transport: "arp",
          message: "arp runs: mdns heard no other host for 1200 ms",
        },
      ],
    });
  });
});

describe("lmserv config print", () => {
  it("shows every value with its origin", async () => {
    machine.env.LMSERV_PRESET = "office";
    expect(await machine.start("config", "print", "--interface", "eth0").ended).toBe(0);
    expect(machine.stdout.text).toMatch(/^transports = \["mdns","arp"\] +# preset office$/m);
    expect(machine.stdout.text).toMatch(/^transports\.arp\.sweep = true +# preset office$/m);
    expect(machine.stdout.text).toMatch(/^transports\.mdns\.interfaces = \["eth0"\] +# --interface$/m);
  });

  it("shows it as JSON", async () => {
    configure({ mdns: {} });
    expect(await machine.start("config", "print", "--json").ended).toBe(0);
    const document = JSON.parse(machine.stdout.text);
    expect(published.config(document), JSON.stringify(published.config.errors)).toBe(true);
    expect(closed.config(document), JSON.stringify(closed.config.errors)).toBe(true);
    const { file: found, settings } = document;
    expect(found).toBe(file);
    expect(settings).toContainEqual({
      path: "transports",
      value: ["mdns"],
      secret: false,
      origin: expect.stringContaining(file),
    });
  });

  it("shows as JSON that there is no file, and no secret", async () => {
    machine.plugins.set("mesh", mesh);
    machine.env.LMSERV_TRANSPORTS__MESH__KEY = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldCE";
    expect(await machine.start("config", "print", "--json", "--transport", "mesh").ended).toBe(0);
    const document = JSON.parse(machine.stdout.text);
    expect(closed.config(document), JSON.stringify(closed.config.errors)).toBe(true);
    expect(document).toMatchObject({
      formatVersion: "1.1",
      file: null,
      settings: expect.arrayContaining([
        {
          path: "transports.mesh.key",
          value: null,
          secret: true,
          origin: "LMSERV_TRANSPORTS__MESH__KEY",
        },
      ]),
    });
    expect(machine.stdout.text).not.toContain("c2VjcmV0");
  });
});

describe("a message", () => {
  it("names the configuration file in use", async () => {
    configure({ mdns: { interfaces: ["eth0"] } });
    expect(await machine.run(3_000, "discover")).toBe(1);
    expect(machine.stderr.lines.length).toBeGreaterThan(0);
    for (const line of machine.stderr.lines) expect(line).toContain(`(configured by ${file})`);
  });

  it("names none where there is none", async () => {
    expect(await machine.run(3_000, "discover")).toBe(1);
    expect(machine.stderr.text).not.toContain("configured by");
  });

  it("names it also for a mistake that is elsewhere", async () => {
    configure({ arp: {} });
    expect(await machine.start("announce", "--port", "8000").ended).toBe(2);
    expect(machine.stderr.text).toContain(`cannot announce; use mdns (configured by ${file})`);
  });

  it("comes first from the doctor", async () => {
    configure({ mdns: {} });
    await machine.run(2_000, "doctor", "--config", file);
    expect(machine.stderr.lines[0]).toBe(`lmserv: examining the configuration of ${file}`);
  });
});

describe("a password", () => {
  it.each([
    ["http://u:hunter2@10.0.0.1/x y", "--endpoint: transports.etcd"],
    ["u:hunter2@10.0.0.1:4222", "--endpoint: transports.nats"],
    ["ftp://u:hunter2@h", "which is not like http://host:2379"],
  ])("in the URL of a store is in no message: %s", async (endpoint, shown) => {
    for (const type of ["etcd", "nats"]) {
      const plugin = ownPlugins.get(type);
      if (plugin) machine.plugins.set(type, plugin);
      expect(await machine.start("discover", "--transport", type, "--endpoint", endpoint).ended).toBe(2);
    }
    expect(machine.stderr.text).toContain(shown);
    expect(machine.stderr.text).not.toContain("hunter");
    expect(machine.stderr.text).toContain("…@");
  });

  it("is not shown by config print either", async () => {
    configure({ etcd: { endpoints: ["http://u:hunter2@10.0.0.1:2379"] } });
    const plugin = ownPlugins.get("etcd");
    if (plugin) machine.plugins.set("etcd", plugin);
    await machine.start("config", "print").ended;
    await machine.start("config", "print", "--json").ended;
    expect(`${machine.stdout.text}${machine.stderr.text}`).not.toContain("hunter");
  });
});
