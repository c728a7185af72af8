import type { DiscoveryError } from "@lmserv/discovery-core";
import { type Registration, supervise } from "@lmserv/discovery-core/transport";
import { memory } from "../memory.ts";
import { type Mutant, withObservations, withSession, withSteps } from "./mutant.ts";

const supervised = { announces: true, reconfirms: true, supervised: true };

/** Registration without effect. */
const mute: Registration = { async update() {}, async [Symbol.asyncDispose]() {} };

export const failureMutants: readonly Mutant[] = [
  {
    rule: "failure",
    title: "ends a browse without error when the medium dies",
    build: (options) =>
      withSteps(memory(options), (steps, { signal }) => ({
        async next() {
          try {
            return await steps.next();
          } catch (error) {
            if (signal.aborted) throw error;
            return { done: true, value: undefined };
          }
        },
      })),
  },
  {
    rule: "failure",
    alsoBreaks: ["no-goodbye"],
    title: "dies without a word when nobody browses",
    build(options) {
      const transport = memory(options);
      return {
        name: transport.name,
        open(context, cancellable) {
          const report = (error: DiscoveryError): void => {
            if (error.code !== "TRANSPORT_FAILED") context.report(error);
          };
          return transport.open({ ...context, report }, cancellable);
        },
      };
    },
  },
  {
    rule: "failure",
    title: "says nothing to a browse that begins after its death",
    build: (options) =>
      withSteps(memory(options), (steps, { signal }) => {
        let count = 0;
        return {
          async next() {
            count += 1;
            const isFirst = count === 1;
            try {
              return await steps.next();
            } catch (error) {
              if (!isFirst || signal.aborted) throw error;
              return new Promise(() => {});
            }
          },
        };
      }),
  },
  {
    rule: "no-goodbye",
    title: "says goodbye over a new connection",
    build(options) {
      const transport = memory(options);
      return withSession(transport, (session, context) => ({
        ...(session.announce && {
          async announce(node, cancellable) {
            const registration = await session.announce?.(node, cancellable);
            return {
              update: async (...args) => registration?.update(...args),
              async [Symbol.asyncDispose]() {
                await registration?.[Symbol.asyncDispose]();
                const other = await transport.open(context, cancellable);
                await other.announce?.(node, cancellable);
                await other[Symbol.asyncDispose]();
              },
            };
          },
        }),
      }));
    },
  },
  {
    rule: "survival",
    title: "does not say that the medium is lost",
    declares: supervised,
    build: (options) =>
      withObservations(supervise(memory(options)), () => (seen) => (seen.kind === "lost" ? [] : [seen])),
  },
  {
    rule: "survival",
    title: "announces on the first session only",
    declares: supervised,
    build(options) {
      let sessions = 0;
      const forgetful = withSession(memory(options), ({ announce }) => {
        sessions += 1;
        const isHeard = sessions === 1;
        return { ...(announce && { announce: async (...args) => (isHeard ? announce(...args) : mute) }) };
      });
      return supervise(forgetful);
    },
  },
];
