import type { Observation } from "@lmserv/discovery-core/transport";
import { memory } from "../memory.ts";
import { type Mutant, withSession, withSteps } from "./mutant.ts";

async function* generate(browse: AsyncIterable<Observation>): AsyncGenerator<Observation> {
  for await (const observation of browse) yield observation;
}

const never = new AbortController().signal;

export const endingMutants: readonly Mutant[] = [
  {
    rule: "abort",
    title: "wraps the reason",
    build: (options) =>
      withSteps(memory(options), (steps, { signal }) => ({
        async next() {
          try {
            return await steps.next();
          } catch (error) {
            throw signal.aborted ? new Error("aborted", { cause: error }) : error;
          }
        },
      })),
  },
  {
    rule: "abort",
    title: "takes an abort for a normal end",
    build: (options) =>
      withSteps(memory(options), (steps, { signal }) => ({
        async next() {
          try {
            return await steps.next();
          } catch (error) {
            if (signal.aborted) return { done: true, value: undefined };
            throw error;
          }
        },
      })),
  },
  {
    rule: "abort",
    title: "opens though it was aborted",
    build(options) {
      const transport = memory(options);
      return { name: transport.name, open: (context) => transport.open(context, { signal: never }) };
    },
  },
  {
    rule: "abort",
    title: "announces though it was aborted",
    build: (options) =>
      withSession(memory(options), ({ announce }) => ({
        ...(announce && { announce: (node) => announce(node, { signal: never }) }),
      })),
  },
  {
    rule: "break",
    title: "browses with a generator, of which return() waits for next()",
    build: (options) =>
      withSession(memory(options), (session) => ({
        browse: (query, cancellable) => generate(session.browse(query, cancellable)),
      })),
  },
  {
    rule: "listeners",
    title: "goes on listening for an abort",
    build: (options) =>
      withSession(memory(options), (session) => ({
        browse(query, { signal }) {
          signal.addEventListener("abort", () => {});
          return session.browse(query, { signal });
        },
      })),
  },
];
