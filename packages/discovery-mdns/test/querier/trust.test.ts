import { createDiscovery, type RegistryChange } from "@lmserv/discovery-core";
import { Registry, type SeenNode } from "@lmserv/discovery-core/transport";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer, Packet } from "dns-packet";
import { beforeEach, expect, test } from "vitest";
import { mdnsOn } from "../../src/transport.ts";
import { collect, openEndpoint, Segment } from "../segment.ts";

// Unknown hosts on the link compete with nodes that are signed, on other transports, or plain.

const victim = "10.0.0.1";
const type = "_lmserv._tcp.local";
const never = new AbortController();

let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

/** All records of a node, as any host can write them. */
function announcement(name: string, id: string, address: string, port = 8_000): Packet {
  const instance = `${name}.${type}`;
  const target = `${name}.local`;
  const answers: Answer[] = [
    { type: "PTR", name: type, ttl: 4_500, data: instance },
    { type: "SRV", name: instance, ttl: 120, flush: true, data: { port, target } },
    { type: "TXT", name: instance, ttl: 4_500, flush: true, data: [`id=${id}`, "info=evil", "models=evil"] },
    { type: "A", name: target, ttl: 120, flush: true, data: address },
  ];
  return { type: "response", flags: 0x400, answers };
}

/** Joint list of all transports after the reports heard here and one of another transport. */
function hear(registry: Registry, via: string, fields: Pick<SeenNode, "id" | "trust" | "addresses">): void {
  const known = {
    hostname: null,
    path: null,
    server: null,
    apis: [],
    models: [],
    auth: null,
    attributes: {},
  };
  const node: SeenNode = { port: 8_000, scheme: "http", info: "true", ...known, ...fields };
  const key = `${fields.id}`;
  registry.apply({ kind: "alive", via, key, origin: key, heardMs: null, ttlMs: 600_000, node }, clock.now());
}

test("forty instances with the identity of a signed node neither move it nor describe it", async () => {
  const watcher = await openEndpoint(segment.machine("10.0.0.2"), clock);
  const { seen } = collect(watcher.session, clock);
  await clock.advance(0);
  for (let n = 0; n < 40; n += 1) {
    const stranger = `10.0.0.${100 + n}`;
    segment.inject(announcement(`evil-${n}`, "box", stranger), stranger);
  }
  await clock.advance(2_000);
  const registry = new Registry();
  const take = (): void => seen.forEach((observation) => void registry.apply(observation, observation.atMs));
  take();
  hear(registry, "etcd", { id: "box", trust: "signed", addresses: [{ address: victim, reach: "on-link" }] });
  take();
  expect(registry.get("box")).toMatchObject({ host: victim, addresses: [victim], info: "true", models: [] });
  expect(registry.get("box")?.sources).toHaveLength(33);
});

test("another identity in packets with a node's address hides it for the time of an answer", async () => {
  const owner = await openEndpoint(segment.machine(victim), clock, seededRandom(2));
  await using discovery = await createDiscovery({
    transports: [mdnsOn(segment.machine("10.0.0.2"))],
    clock,
    random: seededRandom(3),
  });
  const changes: RegistryChange[] = [];
  const watching = (async () => {
    for await (const change of discovery.watch()) changes.push(change);
  })();
  const announcing = owner.session.announce?.({ id: "box", info: "gpu", port: 8_000 }, never);
  await clock.advance(5_000);
  await announcing;
  for (const id of ["evil1", "evil2", "evil3"]) {
    segment.inject(announcement(id, id, victim), victim);
    await clock.advance(200);
  }
  expect(changes.map(({ kind, node }) => `${kind} ${node.id}`)).toEqual([
    "up box",
    "down box",
    "up evil1",
    "up box",
    "up evil2",
    "up evil3",
  ]);
  await discovery[Symbol.asyncDispose]();
  await watching;
});

test("14,500 made-up nodes hide no newcomer, on whichever transport", async () => {
  const watcher = await openEndpoint(segment.machine("10.0.0.2", { prefix: 8 }), clock);
  const { seen } = collect(watcher.session, clock, 600_000);
  const owner = await openEndpoint(segment.machine(victim, { prefix: 8 }), clock, seededRandom(2));
  const announce = async (id: string): Promise<void> => {
    const announcing = owner.session.announce?.({ id, info: "gpu", port: 8_000 }, never);
    await clock.advance(5_000);
    await announcing;
  };
  await announce("early");
  for (let n = 0; n < 14_500; n += 1) {
    const origin = n % 3_000;
    const from = `10.1.${origin >> 8}.${origin & 255}`;
    segment.inject(announcement(`evil-${n}`, `evil-${n}`, from, 8_000 + n), from);
    if (n % 100 === 0) await clock.advance(10);
  }
  await announce("late");
  const registry = new Registry();
  for (const observation of seen) registry.apply(observation, observation.atMs);
  hear(registry, "etcd", {
    id: "signed",
    trust: "signed",
    addresses: [{ address: "10.0.0.7", reach: "on-link" }],
  });
  hear(registry, "arp", {
    id: "found",
    trust: "identified",
    addresses: [{ address: "10.0.0.8", reach: "source" }],
  });
  expect(registry.get("early")?.host).toBe(victim);
  expect(registry.get("late")?.host).toBe(victim);
  expect(registry.get("signed")?.host).toBe("10.0.0.7");
  expect(registry.get("found")?.host).toBe("10.0.0.8");
  expect(registry.size).toBe(10_002);
  expect(watcher.reports.map(({ code }) => code)).toEqual(["REGISTRY_FULL"]);
});
