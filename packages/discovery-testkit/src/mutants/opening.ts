import type { TransportSession } from "@lmserv/discovery-core/transport";
import { memory } from "../memory.ts";
import { encodeFrame } from "../memory-frame.ts";
import { type Mutant, withSession, withSteps } from "./mutant.ts";

export const openingMutants: readonly Mutant[] = [
  {
    rule: "inert",
    title: "asks who is there as soon as it is made",
    build(options) {
      const link = options.network.join({ receive() {}, failed() {} });
      link.send(encodeFrame({ kind: "query", id: null }));
      return memory(options);
    },
  },
  {
    rule: "capabilities",
    title: "announces, though declared not to",
    declares: { announces: false, reconfirms: true },
    build: memory,
  },
  {
    rule: "capabilities",
    title: "reconfirms, though declared not to",
    declares: { announces: true, reconfirms: false },
    build: memory,
  },
  {
    rule: "sessions",
    title: "opens one session and hands it to everybody",
    build(options) {
      const transport = memory(options);
      let session: Promise<TransportSession> | null = null;
      return {
        name: transport.name,
        open(context, cancellable) {
          if (cancellable.signal.aborted) return transport.open(context, cancellable);
          session ??= transport.open(context, cancellable);
          return session;
        },
      };
    },
  },
  {
    rule: "disposal",
    title: "cannot be disposed twice",
    build: (options) =>
      withSession(memory(options), (session) => {
        let disposed = false;
        return {
          async [Symbol.asyncDispose]() {
            if (disposed) throw new Error("disposed already");
            disposed = true;
            await session[Symbol.asyncDispose]();
          },
        };
      }),
  },
  {
    rule: "disposal",
    title: "throws from browses when it is disposed",
    build(options) {
      let disposed = false;
      const transport = withSession(memory(options), (session) => ({
        async [Symbol.asyncDispose]() {
          disposed = true;
          await session[Symbol.asyncDispose]();
        },
      }));
      return withSteps(transport, (steps) => ({
        async next() {
          const step = await steps.next();
          if (step.done && disposed) throw new Error("disposed");
          return step;
        },
      }));
    },
  },
];
