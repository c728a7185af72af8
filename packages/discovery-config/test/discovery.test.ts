import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiscoveryError } from "@lmserv/discovery-core";
import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { MemoryNetwork, memory, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { composeConfigured, discoveryFromConfig, type PluginTable, resolveConfig } from "../src/index.ts";
import { faultOf } from "./harness.ts";

const networks = { mdns: new MemoryNetwork(), arp: new MemoryNetwork() };

function pluginOn(type: keyof typeof networks): TransportPlugin {
  const announces = type === "mdns";
  const create = (_: unknown, { name }: { readonly name: string }) =>
    memory({ network: networks[type], name, announces });
  const options = optionsSchema({ sweep: { description: "Whether to sweep.", type: "boolean" } });
  return { type, announces, options, create };
}

const plugins: PluginTable = new Map([
  ["mdns", pluginOn("mdns")],
  ["arp", pluginOn("arp")],
]);

let cwd: string;
let clock: VirtualClock;

beforeEach(async () => {
  clock = new VirtualClock();
  networks.mdns = new MemoryNetwork();
  networks.arp = new MemoryNetwork();
  cwd = await mkdtemp(join(tmpdir(), "lmserv-config-"));
});

afterEach(() => rm(cwd, { recursive: true }));

const write = (content: object) => writeFile(join(cwd, "lmserv.config.jsonc"), JSON.stringify(content));
const open = (onWarning: (warning: DiscoveryError) => void = () => {}) =>
  discoveryFromConfig({
    cwd,
    env: { HOME: cwd },
    from: [],
    plugins,
    clock,
    onWarning,
  });

test("a file becomes a discovery, in which a fallback runs when mDNS is silent", async () => {
  await write({ version: 1, preset: "office" });
  await using discovery = await open();
  networks.arp.appear({ id: "gpu-box", port: 8000, info: "gpu-box-01" });
  const looking = discovery.discover({ timeoutMs: 5_000 });
  await clock.advance(1_199);
  expect(discovery.registry.listAlive()).toEqual([]);
  await clock.advance(3_801);
  expect((await looking).map(({ sources }) => sources.map(({ transport }) => transport))).toEqual([["arp"]]);
  expect(discovery.transports.map(({ name, settled }) => ({ name, settled }))).toEqual([
    { name: "mdns", settled: true },
    { name: "arp", settled: true },
  ]);
});

test("a fallback works also while mDNS cannot be opened, and mDNS is opened as soon as it can be", async () => {
  networks.mdns.refuse("ADDRESS_IN_USE");
  await write({ version: 1, preset: "office" });
  const warnings: string[] = [];
  await using discovery = await open(({ code, via }) => warnings.push(`${code} ${via}`));
  networks.arp.appear({ id: "gpu-box", port: 8000, info: "gpu-box-01" });
  discovery.registry.listAlive();
  await clock.advance(3_000);
  expect(discovery.registry.listAlive().map(({ info }) => info)).toEqual(["gpu-box-01"]);
  expect(warnings).toEqual(["ADDRESS_IN_USE mdns", "STANDBY_RUNS arp"]);
  networks.mdns.restore();
  networks.mdns.appear({ id: "laptop", port: 8001, info: "laptop" });
  await clock.advance(10_000);
  expect(discovery.registry.listAlive().map(({ info }) => info)).toContain("laptop");
});

test("a transport that dies is opened again, and the others go on meanwhile", async () => {
  await write({ version: 1, transports: { mdns: {}, arp: {} } });
  const warnings: string[] = [];
  await using discovery = await open(({ code, via }) => warnings.push(`${code} ${via}`));
  discovery.registry.listAlive();
  await clock.advance(0);
  networks.mdns.fail();
  networks.arp.appear({ id: "gpu-box", port: 8000, info: "gpu-box-01" });
  await clock.advance(20_000);
  expect(discovery.registry.listAlive().map(({ info }) => info)).toEqual(["gpu-box-01"]);
  expect(warnings[0]).toBe("TRANSPORT_FAILED mdns");
  expect(warnings.filter((warning) => warning.endsWith("arp"))).toEqual([]);
  networks.mdns.restore();
  networks.mdns.appear({ id: "laptop", port: 8001, info: "laptop" });
  await clock.advance(5_000);
  expect(discovery.registry.listAlive().map(({ info }) => info)).toContain("laptop");
});

test("without a file it is mDNS", async () => {
  await using discovery = await open();
  expect(discovery.transports.map(({ name }) => name)).toEqual(["mdns"]);
});

test("without a file it is what a program that leaves mDNS out means instead", async () => {
  const { transports } = await resolveConfig({ cwd, plugins, defaultTransport: "arp" });
  expect(transports.map(({ name }) => name)).toEqual(["arp"]);
});

test("what a program leaves out is said to be where the program says", async () => {
  const elsewhere = new Map([["bus", "take the large one"]]);
  const resolving = resolveConfig({ cwd, plugins, elsewhere, flags: { transports: ["bus"] } });
  expect(await faultOf(resolving)).toMatchObject({
    reason: "needs the package @lmserv/discovery-bus, which does not come along",
    fix: "take the large one",
  });
});

test("an optional transport that is not installed is a warning", async () => {
  await write({ version: 1, transports: { mdns: {}, nats: { optional: true } } });
  const warnings: string[] = [];
  await using _ = await open(({ code, message }) => warnings.push(`${code} ${message}`));
  expect(warnings).toEqual([
    expect.stringMatching(/^TRANSPORT_UNAVAILABLE .*needs the package @lmserv\/discovery-nats/),
  ]);
});

test("a mistake opens nothing", async () => {
  await write({ version: 1, transports: { mdns: {}, arp: { seep: true } } });
  expect((await faultOf(open())).message).toMatch(
    /lmserv\.config\.jsonc:1:\d+: transports\.arp\.seep is unknown/,
  );
  expect(networks.mdns.sent).toBe(0);
});

test("what this machine itself announces does not silence a fallback", async () => {
  const { transports } = await resolveConfig({ cwd, plugins, flags: { preset: "office" } });
  const [office] = composeConfigured(transports, ({ port }) => port === 8000);
  const report = (): void => {};
  const context = { clock, random: () => 0.5, log: report, nodes: { listAlive: () => [] }, report };
  const session = await office?.open(context, new AbortController());
  session?.browse({ ttlMs: 60_000 }, new AbortController())[Symbol.asyncIterator]().next();
  networks.mdns.appear({ id: "neighbor", port: 8000, info: "another process" });
  await clock.advance(3_000);
  expect(networks.arp.sent).toBe(1);
  await session?.[Symbol.asyncDispose]();
});
