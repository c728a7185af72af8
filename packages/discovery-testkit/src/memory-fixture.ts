import { type ResolvedAnnouncement, silentLog, type Transport } from "@lmserv/discovery-core/transport";
import type { Fixture } from "./conformance/fixture.ts";
import { hostileFrames } from "./hostile-frames.ts";
import { type MemoryOptions, memory } from "./memory.ts";
import { encodeFrame, presenceOf } from "./memory-frame.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface MemoryFixtureOptions {
  /** Names of the media; a stimulus acts on all of them. @default one, called "memory" */
  readonly media?: readonly string[];
  /** Makes the transport under test on some of the media. @default `memory` on the first of them */
  readonly build?: (medium: (name: string) => MemoryOptions) => Transport;
}

/** Low, so that a rule can exceed it. */
const maxNodes = 40;
const strangerTtlMs = 120_000;

/** One medium or several in this process, with a clock of their own. */
export async function memoryFixture({
  media = ["memory"],
  build = (medium) => memory(medium(media[0] ?? "")),
}: MemoryFixtureOptions = {}): Promise<Fixture> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const networks = new Map(media.map((name) => [name, new MemoryNetwork()]));
  const everywhere = (act: (network: MemoryNetwork) => void): void => {
    for (const network of networks.values()) act(network);
  };
  const medium = (name: string): MemoryOptions => {
    const network = networks.get(name);
    if (!network) throw new TypeError(`there is no medium "${name}", only ${media.join(", ")}`);
    return { network, name, maxNodes };
  };
  return {
    maxNodes: maxNodes * media.length,
    transport: () => build(medium),
    context: () => ({ clock, random, log: silentLog, nodes: { listAlive: () => [] }, report: () => {} }),
    appear: async (node) => everywhere((network) => network.appear(node, strangerTtlMs)),
    disappear: async (node) => everywhere((network) => network.silence(node.id)),
    sent: () => [...networks.values()].reduce((sum, network) => sum + network.sent, 0),
    advance: (ms) => clock.advance(ms),
    *hostile() {
      for (const frame of [...malformedFrames(), ...hostileFrames(validFrames(), random)]) {
        yield () => everywhere((network) => network.inject(frame));
      }
    },
    fail: async () => everywhere((network) => network.fail()),
    restore: async () => everywhere((network) => network.restore()),
    async [Symbol.asyncDispose]() {},
  };
}

const stranger: ResolvedAnnouncement = { id: "stranger", port: 8000, info: "stranger" };

function validFrames(): readonly Uint8Array[] {
  return [
    encodeFrame(presenceOf(stranger, strangerTtlMs)),
    encodeFrame({ kind: "query", id: null }),
    encodeFrame({ kind: "claim", name: "stranger" }),
    encodeFrame({ kind: "goodbye", id: "stranger" }),
  ];
}

/** Frames that parse, with one invalid field each. */
function malformedFrames(): readonly Uint8Array[] {
  const valid = presenceOf(stranger, strangerTtlMs);
  const wrong: readonly Readonly<Record<string, unknown>>[] = [
    { id: null },
    { id: "has:colon" },
    { id: "x".repeat(129) },
    { port: 0 },
    { port: 65_536 },
    { port: "8000" },
    { port: 80.5 },
    { info: null },
    { info: "x".repeat(251) },
    { path: "no-slash" },
    { path: "/a b" },
    { hostname: 1 },
    { server: [] },
    { apis: "openai" },
    { models: [1] },
    { auth: "perhaps" },
    { attributes: { key: 1 } },
    { attributes: null },
  ];
  const frames: readonly unknown[] = [
    null,
    [],
    "presence",
    { kind: "presence" },
    { kind: "unheard-of" },
    { ...valid, ttlMs: 0 },
    { ...valid, ttlMs: -1 },
    { ...valid, ttlMs: 1e12 },
    { ...valid, ttlMs: null },
    { ...valid, name: "" },
    { ...valid, node: [] },
    ...wrong.map((fields) => ({ ...valid, node: { ...valid.node, ...fields } })),
  ];
  return frames.map((frame) => new TextEncoder().encode(JSON.stringify(frame)));
}
