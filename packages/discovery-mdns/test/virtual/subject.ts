import { setMaxListeners } from "node:events";
import type { Announcement, DiscoveryError } from "@lmserv/discovery-core";
import {
  type Observation,
  type Registration,
  type SeenNode,
  silentLog,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { type MdnsOptions, mdnsOn } from "../../src/transport.ts";
import type { VirtualHost } from "./host.ts";
import type { Stage } from "./stage.ts";

export const never = new AbortController();
setMaxListeners(0, never.signal);

/** The transport on a host, for behaviour that the library hides. */
export interface Subject {
  readonly session: TransportSession;
  /** Reported faults. */
  readonly reports: readonly DiscoveryError[];
  /** Announces a node whose `id` and `info` are `as`; resolves when that is done. */
  readonly announce: (as: string, node: Announcement) => Promise<void>;
  readonly update: (as: string, node: Announcement) => Promise<void>;
  readonly withdraw: (as: string) => Promise<void>;
  readonly reconfirm: (key: string) => Promise<void>;
}

export async function subject(
  stage: Stage,
  options: MdnsOptions = {},
  host: VirtualHost = stage.host,
): Promise<Subject> {
  const { clock, random, playback, running } = stage;
  const reports: DiscoveryError[] = [];
  const nodes = { listAlive: () => [] };
  const report = (error: DiscoveryError): void => void reports.push(error);
  const opening = mdnsOn(host.machine, options).open({ clock, random, log: silentLog, nodes, report }, never);
  const session = await playback.settled(opening, "opening");
  running.push(session);
  const registration = new Map<string, Registration>();
  const registrationOf = (as: string): Registration => {
    const found = registration.get(as);
    if (!found) throw new RangeError(`${as} was not announced`);
    return found;
  };
  return {
    session,
    reports,
    async announce(as, node) {
      if (!session.announce) throw new TypeError("mDNS announces");
      const accepted = session.announce({ id: as, info: as, ...node }, never);
      registration.set(as, await playback.settled(accepted, `announcing ${as}`));
    },
    update: (as, node) =>
      playback.settled(registrationOf(as).update({ id: as, info: as, ...node }, never), `updating ${as}`),
    async reconfirm(key) {
      if (!session.reconfirm) throw new TypeError("mDNS reconfirms");
      await session.reconfirm(key, never);
    },
    withdraw: (as) => playback.settled(registrationOf(as)[Symbol.asyncDispose](), `the goodbye of ${as}`),
  };
}

/** Browse of the transport itself, whose reports no registry merges. */
export interface Browsing extends Subject {
  /** Start of the browse, in ms of virtual time. */
  readonly startMs: number;
  /** Resolves with the first past or future report that fits. */
  readonly observation: (
    fits: (observation: NodeObservation) => boolean,
    search?: Since,
  ) => Promise<NodeObservation>;
  /** Resolves with the first live instance of that `info`. */
  readonly alive: (info: string) => Promise<SeenNode>;
  /** Reports so far. */
  readonly observations: () => readonly NodeObservation[];
  readonly stop: () => void;
}

/** Report of the transport about an instance. */
export interface NodeObservation {
  readonly kind: "alive" | "gone";
  /** Instance, `@` and interface. */
  readonly key: string;
  readonly reason?: "goodbye" | "unreachable";
  readonly node?: SeenNode;
}

export interface Since {
  /** Count of earlier reports to skip. @default none */
  readonly from?: number;
}

export async function browsing(
  stage: Stage,
  { ttlMs = 60_000, ...options }: MdnsOptions & { readonly ttlMs?: number } = {},
): Promise<Browsing> {
  const running = await subject(stage, options);
  const startMs = stage.nowMs();
  const observations: NodeObservation[] = [];
  const stopping = new AbortController();
  collect(running.session.browse({ ttlMs }, stopping), observations).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  const observation: Browsing["observation"] = async (fits, { from = 0 } = {}) => {
    const find = (): NodeObservation | undefined => observations.slice(from).find(fits);
    await stage.playback.wait(() => find() !== undefined);
    const found = find();
    if (!found) throw new Error(`nothing that fits was reported: ${JSON.stringify(observations)}`);
    return found;
  };
  return {
    ...running,
    startMs,
    observations: () => observations,
    stop: () => stopping.abort(),
    observation,
    async alive(info) {
      const { node } = await observation((one) => one.kind === "alive" && one.node?.info === info);
      if (!node) throw new TypeError("a report that fitted is none");
      return node;
    },
  };
}

async function collect(browse: AsyncIterable<Observation>, observations: NodeObservation[]): Promise<void> {
  for await (const observation of browse) {
    if ("key" in observation) observations.push(observation);
  }
}
