import type { Alive, Observation, Transport } from "@lmserv/discovery-core/transport";
import { type MemoryOptions, memory } from "../memory.ts";
import { type Mutant, withAdditions, withObservations, withSession, withSteps } from "./mutant.ts";

/** Starts each browse at the call. */
function eager(options: MemoryOptions): Transport {
  return withSession(memory(options), (session) => ({
    browse(query, cancellable) {
      const steps = session.browse(query, cancellable)[Symbol.asyncIterator]();
      let first: ReturnType<typeof steps.next> | null = steps.next();
      first.catch(() => {});
      const next = (): ReturnType<typeof steps.next> => {
        const step = first ?? steps.next();
        first = null;
        return step;
      };
      const end = async (): Promise<IteratorResult<Observation>> =>
        (await steps.return?.()) ?? { done: true, value: undefined };
      return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
    },
  }));
}

/** Ends each browse when the next begins. */
function exclusive(options: MemoryOptions): Transport {
  let endLatest = (): void => {};
  return withSteps(memory(options), (steps) => {
    let begun = false;
    return {
      async next() {
        if (!begun) {
          endLatest();
          endLatest = () => void steps.return?.();
          begun = true;
        }
        return steps.next();
      },
    };
  });
}

function terse(options: MemoryOptions): Transport {
  return withObservations(memory(options), () => {
    const seen = new Set<string>();
    return (observation) => {
      if (observation.kind !== "alive") return [observation];
      if (seen.has(observation.key)) return [];
      seen.add(observation.key);
      return [observation];
    };
  });
}

/** Goes on reporting a node from memory. */
function haunted(options: MemoryOptions): Transport {
  return withAdditions(memory(options), (sink, { ttlMs }, { clock }) => {
    const remembered = new Map<string, Alive>();
    const repeat = (): void => {
      for (const alive of remembered.values()) sink.push(alive);
      cancel = clock.schedule(ttlMs / 3, repeat);
    };
    let cancel = clock.schedule(ttlMs / 3, repeat);
    return {
      take(observation) {
        if (observation.kind === "alive") remembered.set(observation.key, observation);
        if (observation.kind === "gone") remembered.delete(observation.key);
      },
      stop: () => cancel(),
    };
  });
}

/** Takes each doubt for a proof. */
function rash(options: MemoryOptions): Transport {
  const doubted = new Set<(key: string) => void>();
  const transport = withAdditions(memory(options), (sink) => {
    const presume = (key: string): void =>
      sink.push({ kind: "gone", via: options.name ?? "memory", key, reason: "unreachable" });
    doubted.add(presume);
    return { take() {}, stop: () => doubted.delete(presume) };
  });
  return withSession(transport, () => ({
    async reconfirm(key) {
      for (const presume of doubted) presume(key);
    },
  }));
}

export const browsingMutants: readonly Mutant[] = [
  { rule: "cold", title: "browses before it is asked for anything", build: eager },
  {
    rule: "reports",
    title: "signs its reports of nodes with another name",
    build: (options) =>
      withObservations(
        memory(options),
        () => (seen) => (seen.kind === "settled" ? [seen] : [{ ...seen, via: "other" }]),
      ),
  },
  {
    rule: "reports",
    title: "reports nodes without an address",
    alsoBreaks: ["hostile-input"],
    build: (options) =>
      withObservations(
        memory(options),
        () => (seen) =>
          seen.kind === "alive" ? [{ ...seen, node: { ...seen.node, addresses: [] } }] : [seen],
      ),
  },
  { rule: "browses", title: "has one browse at a time", alsoBreaks: ["slow-consumer"], build: exclusive },
  {
    rule: "settled",
    title: "settles twice",
    build: (options) =>
      withObservations(memory(options), () => (seen) => (seen.kind === "settled" ? [seen, seen] : [seen])),
  },
  {
    rule: "settled",
    title: "never settles",
    build: (options) =>
      withObservations(memory(options), () => (seen) => (seen.kind === "settled" ? [] : [seen])),
  },
  { rule: "repeats", title: "reports each node once", build: terse, alsoBreaks: ["slow-consumer", "update"] },
  { rule: "evidence", title: "reports nodes from memory", build: haunted },
  {
    rule: "reconfirm",
    title: "ignores doubts",
    build: (options) => withSession(memory(options), () => ({ async reconfirm() {} })),
  },
  { rule: "reconfirm", title: "takes each doubt for a proof", build: rash },
];
