import fc from "fast-check";
import { expect, test } from "vitest";
import { type Alive, type Observation, Registry, type SeenNode } from "../../src/authors.ts";
import type { NodeInfo, RegistryChange } from "../../src/index.ts";
import { at, seenNode } from "../observations.ts";
import { Replica } from "./replica.ts";

// Honest nodes on every transport, and an attacker on one of them who knows all reports.

const capacity = 12;
const maxSources = 32;
/** Honest nodes report at each step, and their reports hold for three. */
const stepMs = 10;
const ttlMs = 35;
/** Clocks are finer than events: no two nodes are heard at one moment. */
const momentMs = 0.01;

/** Report of one honest node on one transport. */
interface Voice {
  readonly via: string;
  readonly node: SeenNode;
  /** True if the transport hears the node itself. */
  readonly isHeard: boolean;
}

interface Honest {
  readonly id: string;
  readonly address: string;
  readonly voices: readonly Voice[];
}

function voice(via: string, fields: Partial<SeenNode>, isHeard: boolean): Voice {
  return { via, node: seenNode({ path: "/true", models: ["true"], auth: "required", ...fields }), isHeard };
}

/** Node that signs, in a store and perhaps over a link, and announces the same unsigned on its LAN. */
function signing(id: string, address: string, isLinked: boolean): Honest {
  const signed = { id, info: id, trust: "signed" } as const;
  const listed = [at(address, "on-link"), at("10.9.9.9", "routed")];
  const linked = [at(address), at("10.9.9.9", "routed")];
  return {
    id,
    address,
    voices: [
      voice("etcd", { ...signed, addresses: listed }, false),
      ...(isLinked ? [voice("mesh", { ...signed, addresses: linked }, true)] : []),
      voice("mdns", { id, info: id, addresses: [at(address)] }, true),
    ],
  };
}

const signers: readonly Honest[] = [signing("s1", "10.0.0.1", false), signing("s2", "10.0.0.2", true)];
const announcer: Honest = {
  id: "a1",
  address: "10.0.0.3",
  voices: [voice("mdns", { id: "a1", info: "a1", addresses: [at("10.0.0.3")] }, true)],
};
const neighbor: Honest = {
  id: "i1",
  address: "10.0.0.4",
  voices: [voice("arp", { id: "i1", trust: "identified", addresses: [at("10.0.0.4")] }, true)],
};
const everybody = [...signers, announcer, neighbor];
/** One unknown node for each transport. */
const newcomers: readonly Honest[] = [
  {
    id: "n-etcd",
    address: "10.0.1.1",
    voices: [voice("etcd", { id: "n-etcd", trust: "signed", addresses: [at("10.0.1.1", "on-link")] }, false)],
  },
  {
    id: "n-mesh",
    address: "10.0.1.2",
    voices: [voice("mesh", { id: "n-mesh", trust: "signed", addresses: [at("10.0.1.2")] }, true)],
  },
  {
    id: "n-mdns",
    address: "10.0.1.3",
    voices: [voice("mdns", { id: "n-mdns", addresses: [at("10.0.1.3")] }, true)],
  },
  {
    id: "n-arp",
    address: "10.0.1.4",
    voices: [voice("arp", { id: "n-arp", trust: "identified", addresses: [at("10.0.1.4")] }, true)],
  },
];

function report({ id, address }: Honest, { via, node, isHeard }: Voice, nowMs: number): Alive {
  const origin = node.trust === "signed" ? id : address;
  return { kind: "alive", via, key: `${id}@${via}`, node, origin, heardMs: isHeard ? nowMs : null, ttlMs };
}

/** Addresses of the attacker: it has few hosts, and may claim those of others. */
const ownAddresses = ["10.0.6.1", "10.0.6.2"] as const;
const honestIds = everybody.map(({ id }) => id);
const honestAddresses = everybody.map(({ address }) => address);
const evilIds = ["evil1", "evil2", "evil3"];
const key = fc.integer({ min: 0, max: 19 }).map((n) => `evil key ${n}`);
const description = {
  port: fc.constantFrom(8000, 8000, 9000),
  info: fc.constantFrom("", "evil"),
  path: fc.constantFrom(null, "/evil"),
  models: fc.constantFrom<string[][]>([], ["evil"]),
  auth: fc.constantFrom(null, "none" as const),
  server: fc.constantFrom(null, "evil"),
};
const anyId = fc.constantFrom<(string | null)[]>(null, ...honestIds, ...evilIds);
const anyAddress = fc.constantFrom(...honestAddresses, ...ownAddresses);
const reachOfClaim = fc.constantFrom("on-link" as const, "routed" as const);
const claims = fc.array(fc.record({ address: anyAddress, reach: reachOfClaim }), { maxLength: 2 });

/** Packets carry any address as their source, in any name; none is signed. */
const forged = fc
  .record({ id: anyId, source: anyAddress, claims, announcer: fc.constantFrom("one", "two"), ...description })
  .map(({ source, claims, ...node }) => ({
    isHeard: true,
    node: seenNode({ ...node, addresses: [at(source), ...claims] }),
  }));

/**
 * A key signs for its own id, and merely claims others. A link has a true source; a value in a store may
 * claim any.
 */
function insider(isLinked: boolean) {
  const from = isLinked ? fc.constantFrom(...ownAddresses) : anyAddress;
  return fc
    .record({ id: fc.constantFrom(...honestIds, ...evilIds), from, claims, ...description })
    .map(({ id, from, claims, ...node }) => ({
      isHeard: isLinked,
      node: seenNode({
        ...node,
        id,
        trust: evilIds.includes(id) ? "signed" : "announced",
        addresses: [at(from), ...claims],
      }),
    }));
}

/** Servers of the attacker's hosts name any identity in their documents. */
const document = fc
  .record({
    id: anyId,
    from: fc.constantFrom(...ownAddresses),
    announcer: fc.constantFrom("one", "two"),
    ...description,
  })
  .map(({ from, ...node }) => ({
    isHeard: true,
    node: seenNode({ ...node, trust: "identified", addresses: [at(from)] }),
  }));

const media = { mdns: forged, mesh: insider(true), etcd: insider(false), arp: document };
type Via = keyof typeof media;
const vias = Object.keys(media) as Via[];

/** Report of the attacker without its time; null is a goodbye. */
interface Act {
  readonly key: string;
  readonly origin: string;
  readonly ageMs: number;
  readonly said: { readonly node: SeenNode; readonly isHeard: boolean } | null;
}

function act(via: Via) {
  const said = fc.oneof({ arbitrary: media[via], weight: 9 }, { arbitrary: fc.constant(null), weight: 1 });
  return fc.record({ key, origin: fc.constantFrom(...ownAddresses), ageMs: fc.constantFrom(0, 25), said });
}

/** Reports of the attacker on its transport, each step before and after all honest reports. */
const attack = fc.constantFrom(...vias).chain((via) =>
  fc.record({
    via: fc.constant(via),
    steps: fc.array(fc.array(act(via), { maxLength: 25 }), { maxLength: 8 }),
  }),
);

class World {
  readonly registry = new Registry({ capacity });
  readonly #via: Via;
  readonly #replica = new Replica();
  #nowMs = 0;
  #areSignersKnown = false;

  constructor(via: Via) {
    this.#via = via;
  }

  play(acts: readonly Act[]): void {
    this.#attack(acts);
    this.#pass(1);
    for (const honest of everybody) this.report(honest);
    this.#areSignersKnown = true;
    this.#attack(acts);
    this.#pass(stepMs);
  }

  /**
   * Reports an honest node on all its transports; one that answers for itself is listed at once, whatever
   * others claim.
   */
  report(honest: Honest): void {
    for (const voice of honest.voices) {
      this.#pass(momentMs);
      this.#hear(report(honest, voice, this.#nowMs));
      if (voice.isHeard) expect(this.registry.get(honest.id), honest.id).not.toBeNull();
    }
  }

  #attack(acts: readonly Act[]): void {
    const via = this.#via;
    for (const { key, origin, ageMs, said } of acts) {
      if (said === null) this.#hear({ kind: "gone", via, key, reason: "goodbye" });
      else {
        const heardMs = said.isHeard ? this.#nowMs - ageMs : null;
        this.#hear({ kind: "alive", via, key, origin, heardMs, node: said.node, ttlMs: 100 });
      }
    }
  }

  #hear(observation: Observation): void {
    this.#follow(this.registry.apply(observation, this.#nowMs));
    this.#check();
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    this.#follow(this.registry.expire(this.#nowMs));
  }

  /** No signed node is ever removed. */
  #follow(changes: readonly RegistryChange[]): void {
    const down = changes.filter(({ kind }) => kind === "down").map(({ node }) => node.id);
    if (this.#areSignersKnown) for (const { id } of signers) expect(down).not.toContain(id);
    this.#replica.follow(changes);
  }

  #check(): void {
    const nodes = this.registry.listAlive();
    if (this.#areSignersKnown) {
      for (const { id, address } of signers)
        expect(this.registry.get(id)).toMatchObject(truthOf(id, address));
    }
    for (const via of vias) {
      const counts = nodes.map(({ sources }) => sources.filter(({ transport }) => transport === via).length);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(capacity);
      expect(Math.max(0, ...counts)).toBeLessThanOrEqual(maxSources);
    }
  }
}

/** A signed node is at its own addresses, with its signed description. */
function truthOf(id: string, address: string): Partial<NodeInfo> {
  const addresses = [address, "10.9.9.9"];
  return {
    host: address,
    port: 8000,
    addresses,
    info: id,
    path: "/true",
    models: ["true"],
    auth: "required",
    server: null,
  };
}

test("an attacker on one transport hides, moves, describes and removes nobody who is trusted more", () => {
  fc.assert(
    fc.property(attack, ({ via, steps }) => {
      const world = new World(via);
      for (const acts of steps) world.play(acts);
      for (const honest of newcomers) {
        world.report(honest);
        expect(world.registry.get(honest.id)?.addresses, honest.id).toContain(honest.address);
      }
    }),
    { numRuns: 3 * (fc.readConfigureGlobal().numRuns ?? 100) },
  );
});
