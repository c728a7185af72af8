import { createDiscovery, type Discovery, type HealthState } from "@lmserv/discovery-core";
import {
  type Clock,
  type HealthContext,
  type ObservationSink,
  observationStream,
  type SeenNode,
  systemClock,
  type Transport,
} from "@lmserv/discovery-core/transport";

/** Announced node; omitted fields are those of a healthy server of OpenAI's API. */
export interface ListedNode extends Partial<SeenNode> {
  readonly id: string;
  readonly port: number;
  readonly loaded?: readonly string[];
}

/** Discovery whose medium and checks are the test's. */
export interface NearList extends AsyncDisposable {
  readonly discovery: Discovery;
  /** Lists nodes; a known node is updated. */
  list(...nodes: readonly ListedNode[]): Promise<void>;
  /** Sets the result of a node's check; resolves once it is known. */
  check(id: string, state: HealthState, loaded?: readonly string[], version?: string): Promise<void>;
  lose(id: string, reason: "goodbye" | "unreachable"): Promise<void>;
  /** Ends the first look, before further nodes. */
  settle(): void;
}

/** @param clock - Time of the discovery. @default the system's */
export async function nearList(clock: Clock = systemClock): Promise<NearList> {
  const sinks = new Set<ObservationSink>();
  let health: HealthContext | null = null;
  const ports = new Map<string, number>();
  const transport: Transport = {
    name: "list",
    async open() {
      const closing = new AbortController();
      return {
        browse: (_, { signal }) =>
          observationStream({
            signal,
            closed: closing.signal,
            start: (sink) => {
              sinks.add(sink);
              return () => sinks.delete(sink);
            },
          }),
        [Symbol.asyncDispose]: async () => closing.abort(),
      };
    },
  };
  const discovery = await createDiscovery({
    transports: [transport],
    clock,
    health: {
      start(context) {
        health = context;
        return () => {};
      },
    },
  });
  const changes = discovery.watch();
  const changed = async (id: string): Promise<void> => {
    for (;;) {
      const { value, done } = await changes.next();
      if (done || value.node.id === id) return;
    }
  };
  // The first look makes the transport browse.
  discovery.registry.listAlive();
  return {
    discovery,
    async list(...nodes) {
      for (const { id, port, loaded: _, ...fields } of nodes) {
        ports.set(id, port);
        const told = changed(id);
        const alive = { kind: "alive", via: "list", key: id, origin: "127.0.0.1", heardMs: 0 } as const;
        for (const sink of sinks) {
          sink.push({ ...alive, ttlMs: 3_600_000, node: { ...plain, ...fields, id, port } });
        }
        await told;
      }
    },
    async check(id, state, loaded = [], version) {
      const told = changed(id);
      health?.report(id, {
        endpoint: `127.0.0.1:${ports.get(id)}`,
        health: {
          state,
          models: [],
          loaded,
          ...(version && { version }),
          latencyMs: 1,
          checkedAt: "",
          reason: null,
        },
        description: null,
        missingPath: null,
      });
      await told;
    },
    async lose(id, reason) {
      const told = changed(id);
      for (const sink of sinks) sink.push({ kind: "gone", via: "list", key: id, reason });
      await told;
    },
    settle() {
      for (const sink of sinks) sink.push({ kind: "settled", via: "list" });
    },
    [Symbol.asyncDispose]: async () => {
      await changes.return?.();
      await discovery[Symbol.asyncDispose]();
    },
  };
}

const plain: Omit<SeenNode, "id" | "port"> = {
  trust: "announced",
  scheme: "http",
  info: "",
  addresses: [{ address: "127.0.0.1", reach: "source" }],
  hostname: null,
  path: null,
  server: "vllm",
  apis: ["openai"],
  models: ["llama3"],
  auth: null,
  attributes: {},
};
