import {
  type BrowseQuery,
  type Cancellable,
  forward,
  type Observation,
  type ObservationSink,
  observationStream,
  type Transport,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import type { Capabilities } from "../conformance/fixture.ts";
import type { MemoryOptions } from "../memory.ts";

/** Transport that is broken on purpose, to prove that a rule can fail. */
export interface Mutant {
  readonly rule: string;
  /** Further rules that detect the same mistake. @default none */
  readonly alsoBreaks?: readonly string[];
  /** Description of the mistake. */
  readonly title: string;
  /** Declared capabilities. @default it can announce and reconfirm */
  readonly declares?: Capabilities;
  readonly build: (options: MemoryOptions) => Transport;
}

export type Steps = AsyncIterator<Observation, unknown, undefined>;
export type Step = IteratorResult<Observation, unknown>;

export function withSession(
  transport: Transport,
  replace: (session: TransportSession, context: TransportContext) => Partial<TransportSession>,
): Transport {
  return {
    name: transport.name,
    async open(context, options) {
      const session = await transport.open(context, options);
      return { ...session, ...replace(session, context) };
    },
  };
}

/** Replaces the iterators of the transport's browses. */
export function withSteps(
  transport: Transport,
  replace: (steps: Steps, options: Cancellable) => Partial<Steps>,
): Transport {
  return withSession(transport, (session) => ({
    browse(query, options) {
      const steps = session.browse(query, options)[Symbol.asyncIterator]();
      const replaced: Steps = {
        next: () => steps.next(),
        return: async () => (await steps.return?.()) ?? { done: true, value: undefined },
        ...replace(steps, options),
      };
      return { [Symbol.asyncIterator]: () => replaced };
    },
  }));
}

/** Replaces each observation of a browse by others, or none. */
export function withObservations(
  transport: Transport,
  start: () => (observation: Observation) => readonly Observation[],
): Transport {
  return withSteps(transport, (steps) => {
    const replace = start();
    const waiting: Observation[] = [];
    return {
      async next(): Promise<Step> {
        for (;;) {
          const first = waiting.shift();
          if (first) return { done: false, value: first };
          const step = await steps.next();
          if (step.done) return step;
          waiting.push(...replace(step.value));
        }
      },
    };
  });
}

/** Pushes observations of its own into a browse. */
export interface Addition {
  readonly take: (observation: Observation) => void;
  readonly stop: () => void;
}

export function withAdditions(
  transport: Transport,
  start: (sink: ObservationSink, query: BrowseQuery, context: TransportContext) => Addition,
): Transport {
  const never = new AbortController().signal;
  return withSession(transport, (session, context) => ({
    browse: (query, { signal }) =>
      observationStream({
        signal,
        closed: never,
        start(sink) {
          const stopping = new AbortController();
          const addition = start(sink, query, context);
          const take = (observation: Observation): void => {
            addition.take(observation);
            sink.push(observation);
          };
          forward(session.browse(query, stopping), take).then(
            () => sink.end(),
            (error: unknown) => sink.fail(error),
          );
          return () => {
            addition.stop();
            stopping.abort();
          };
        },
      }),
  }));
}
