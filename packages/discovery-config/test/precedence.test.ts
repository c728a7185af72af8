import {
  optionsSchema,
  type PassProgress,
  type PluginContext,
  type TransportPlugin,
} from "@lmserv/discovery-core/transport";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";
import { formatSettings } from "../src/index.ts";
import { arp, faultOf, file, made, resolve, resolveFile } from "./harness.ts";

describe("without a file", () => {
  test("there is mDNS, and nothing else", async () => {
    const config = await resolve({});
    expect(config).toMatchObject({ file: null, warnings: [], transports: [{ name: "mdns", afterMs: null }] });
    expect(made).toEqual([{ type: "mdns", name: "mdns", options: {} }]);
  });

  test("flags and environment choose others", async () => {
    await resolve({ flags: { transports: ["arp"] } });
    expect(made.map(({ name }) => name)).toEqual(["arp"]);
    await resolve({ env: { LMSERV_TRANSPORTS: "mdns, arp" } });
    expect(made.map(({ name }) => name)).toEqual(["mdns", "arp"]);
    await resolve({ env: { LMSERV_TRANSPORTS: "mdns,arp" }, flags: { transports: ["mdns"] } });
    expect(made.map(({ name }) => name)).toEqual(["mdns"]);
  });
});

describe("the file that is used is the first of", () => {
  const named = "/srv/named.jsonc";
  const places = [
    named,
    "/srv/other.jsonc",
    file,
    "/home/me/.config/lmserv/lmserv.config.jsonc",
    "/etc/lmserv/lmserv.config.jsonc",
  ];
  const content = '{ "version": 1 }';
  const env = { LMSERV_CONFIG: "/srv/other.jsonc", HOME: "/home/me" };

  test.each([
    ["--config", named, { flags: { config: "../named.jsonc" }, env }, places],
    ["LMSERV_CONFIG", "/srv/other.jsonc", { env }, places],
    ["the working folder", places[2], { env: { HOME: "/home/me" } }, places.slice(2)],
    ["the XDG folder", places[3], { env: { HOME: "/home/me" } }, places.slice(3)],
    ["/etc/lmserv", places[4], { env: { HOME: "/home/me" } }, places.slice(4)],
  ])("%s", async (_, expected, input, there) => {
    const files = Object.fromEntries(there.map((place) => [place, content]));
    expect((await resolve({ ...input, files })).file).toBe(expected);
  });

  test("XDG_CONFIG_HOME", async () => {
    const path = "/conf/lmserv/lmserv.config.jsonc";
    const config = await resolve({ env: { XDG_CONFIG_HOME: "/conf" }, files: { [path]: content } });
    expect(config.file).toBe(path);
  });

  test("none, when a named one is not there", async () => {
    const { message } = await faultOf(resolve({ env, files: { [file]: content } }));
    expect(message).toBe(
      "LMSERV_CONFIG: the file /srv/other.jsonc does not exist; name one that does, or leave it out: then ./lmserv.config.jsonc, the XDG folder and /etc/lmserv are looked at",
    );
  });

  test("none, when the first one there cannot be read", async () => {
    const readFile = async () => {
      throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
    };
    const { message } = await faultOf(resolve({ readFile }));
    expect(message).toContain(`the file ${file} cannot be read: EACCES`);
  });
});

describe("of each value, the strongest source wins", () => {
  const content = {
    version: 1,
    preset: "office",
    transports: { arp: { ports: [8000, 8080], sweepEveryMs: 600_000 } },
  };

  test("objects merge and arrays are replaced", async () => {
    const env = { LMSERV_TRANSPORTS__ARP__PORTS: "11434", LMSERV_TRANSPORTS__ARP__SWEEP: "false" };
    await resolveFile(content, { env });
    expect(made).toEqual([
      { type: "mdns", name: "mdns", options: {} },
      { type: "arp", name: "arp", options: { sweep: false, ports: [11434], sweepEveryMs: 600_000 } },
    ]);
  });

  test("a flag before a variable", async () => {
    const flags = { options: [{ flag: "--interface", key: "interfaces", value: ["eth0"] }] };
    await resolve({ flags, env: { LMSERV_TRANSPORTS__MDNS__INTERFACES: "eth1" } });
    expect(made[0]?.options).toEqual({ interfaces: ["eth0"] });
  });

  test("and each knows where it comes from", async () => {
    const flags = { options: [{ flag: "--interface", key: "interfaces", value: ["eth0"] }] };
    const { settings } = await resolveFile(content, { flags, env: { LMSERV_TRANSPORTS__ARP__AFTER: "5s" } });
    const lines = formatSettings(settings).split("\n");
    expect(lines.map((line) => line.replace(/ {2,}/, "  "))).toEqual([
      'transports = ["mdns","arp"]  # /srv/app/lmserv.config.jsonc:4:3',
      'transports.mdns.interfaces = ["eth0"]  # --interface',
      'transports.mdns.type = "mdns"  # default',
      'transports.mdns.when = "always"  # default',
      "transports.mdns.maxInstances = 10000  # default",
      "transports.arp.sweep = true  # preset office",
      'transports.arp.when = "mdns-silent"  # preset office',
      'transports.arp.after = "5s"  # LMSERV_TRANSPORTS__ARP__AFTER',
      "transports.arp.ports = [8000,8080]  # /srv/app/lmserv.config.jsonc:6:7",
      "transports.arp.sweepEveryMs = 600000  # /srv/app/lmserv.config.jsonc:10:7",
      'transports.arp.interfaces = ["eth0"]  # --interface',
      'transports.arp.type = "arp"  # default',
      "",
    ]);
  });

  test("a preset of a flag or of the environment is below the file's values too", async () => {
    await resolveFile({ ...content, preset: "lan" }, { env: { LMSERV_PRESET: "office" } });
    expect(made[1]?.options).toEqual({ sweep: true, ports: [8000, 8080], sweepEveryMs: 600_000 });
    await resolve({ flags: { preset: "office" } });
    expect(made.map(({ name }) => name)).toEqual(["mdns", "arp"]);
  });

  test("a choice leaves out what is configured, with its settings", async () => {
    const env = { LMSERV_TRANSPORTS: "mdns", LMSERV_TRANSPORTS__ARP__SWEEP: "true" };
    await resolveFile(content, { env });
    expect(made.map(({ name }) => name)).toEqual(["mdns"]);
  });
});

describe("variables", () => {
  test.each([
    ["LMSERV_TRANSPORTS__ARP__SWEEP_EVERY_MS", "300000", { sweepEveryMs: 300_000 }],
    ["LMSERV_TRANSPORTS__ARP__SWEEPEVERYMS", "300000", { sweepEveryMs: 300_000 }],
    ["LMSERV_TRANSPORTS__arp__sweep", "true", { sweep: true }],
    ["LMSERV_TRANSPORTS__ARP__PORTS", "1, 2", { ports: [1, 2] }],
    ["LMSERV_TRANSPORTS__ARP__PORTS", "[1, 2]", { ports: [1, 2] }],
    ["LMSERV_TRANSPORTS__ARP__INTERFACES", "7", { interfaces: ["7"] }],
  ])("%s=%s", async (variable, text, options) => {
    await resolve({ flags: { transports: ["arp"] }, env: { [variable]: text } });
    expect(made[0]?.options).toEqual(options);
  });

  test("reach into objects, and know names with hyphens", async () => {
    const env = {
      LMSERV_TRANSPORTS: "far-mesh",
      LMSERV_TRANSPORTS__FAR_MESH__TYPE: "mesh",
      LMSERV_TRANSPORTS__FAR_MESH__KEY: "s3cret",
      LMSERV_TRANSPORTS__FAR_MESH__SEEDS: "wss://a.example,wss://b.example",
      LMSERV_TRANSPORTS__FAR_MESH__LIMITS__MAX_PEERS: "3",
    };
    await resolve({ env });
    expect(made).toEqual([
      {
        type: "mesh",
        name: "far-mesh",
        options: { key: "s3cret", seeds: ["wss://a.example", "wss://b.example"], limits: { maxPeers: 3 } },
      },
    ]);
  });
});

test("a transport is told who waits for it, and tells how far it is", async () => {
  const contexts: PluginContext[] = [];
  const create = (_: unknown, context: PluginContext) => {
    contexts.push(context);
    return memory({ network: new MemoryNetwork(), name: context.name });
  };
  const own = new Map([["arp", { ...arp, create }]]);
  const told: unknown[] = [];
  const onProgress = (name: string, progress: PassProgress) => void told.push([name, progress]);
  const near = { version: 1, transports: { near: { type: "arp" } } };
  await resolveFile(near, { plugins: own, interactive: true, onProgress });
  contexts[0]?.onProgress?.({ done: 1, total: 2 });
  await resolveFile(near, { plugins: own });
  expect(contexts).toMatchObject([
    { name: "near", interactive: true },
    { name: "near", interactive: false },
  ]);
  expect(told).toEqual([["near", { done: 1, total: 2 }]]);
});

test("who announces is told to those that sign", async () => {
  const identities: unknown[] = [];
  const create = (_: unknown, { name, identity }: PluginContext) => {
    identities.push([name, identity]);
    return memory({ network: new MemoryNetwork(), name });
  };
  const options = optionsSchema<object>({});
  const own = new Map<string, TransportPlugin>([
    ["bus", { type: "bus", announces: true, signs: true, options, create }],
    ["radio", { type: "radio", announces: true, options, create }],
  ]);
  const both = { version: 1, transports: { bus: {}, radio: {} } };
  const identity = () => Promise.reject(new Error("nothing is opened"));
  await resolveFile(both, { plugins: own, identity });
  await resolveFile(both, { plugins: own, identity: null });
  await resolveFile(both, { plugins: own });
  expect(identities).toEqual([
    ["bus", identity],
    ["radio", undefined],
    ["bus", null],
    ["radio", undefined],
    ["bus", undefined],
    ["radio", undefined],
  ]);
});

test("a flag that names the file of a secret goes before the secret in the environment", async () => {
  const env = { LMSERV_TRANSPORTS__MESH__KEY: "of the environment" };
  const options = [{ flag: "--key-file", key: "keyFile", value: "mesh.key" }];
  const mesh = { seeds: ["wss://a.example"], keyFile: "other.key" };
  const files = { "/srv/app/mesh.key": "of the flag\n" };
  await resolveFile({ version: 1, transports: { mesh } }, { env, files, flags: { options } });
  expect(made).toMatchObject([{ options: { key: "of the flag" } }]);
});

test("a flag that is for more than transports may find none that has its option", async () => {
  const options = [{ flag: "--interface", key: "interfaces", value: ["eth0"], ifAny: true }];
  const { transports } = await resolveFile(
    { version: 1, transports: { none: { type: "mesh", seeds: ["wss://a.example"], keyFile: "k" } } },
    { files: { "/srv/app/k": "s" }, flags: { options } },
  );
  expect(transports).toHaveLength(1);
});

test("one type may have several names", async () => {
  const near = { type: "arp", ports: [8000] };
  const config = await resolveFile({ version: 1, transports: { near, far: { type: "arp" } } });
  expect(made).toEqual([
    { type: "arp", name: "near", options: { ports: [8000] } },
    { type: "arp", name: "far", options: {} },
  ]);
  expect(config.transports.map(({ transport }) => transport.name)).toEqual(["near", "far"]);
});
