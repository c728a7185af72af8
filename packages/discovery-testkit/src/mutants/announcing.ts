import type { DiscoveryError } from "@lmserv/discovery-core";
import type { TransportSession } from "@lmserv/discovery-core/transport";
import { memory } from "../memory.ts";
import { type Mutant, withSession } from "./mutant.ts";

export const announcingMutants: readonly Mutant[] = [
  {
    rule: "announce",
    title: "says no goodbye when a handle is disposed",
    build: (options) =>
      withSession(memory(options), ({ announce }) => ({
        ...(announce && {
          async announce(node, cancellable) {
            const { update } = await announce(node, cancellable);
            return { update, async [Symbol.asyncDispose]() {} };
          },
        }),
      })),
  },
  {
    rule: "announce",
    title: "loses what a node says of itself",
    build: (options) =>
      withSession(memory(options), ({ announce }) => ({
        ...(announce && {
          announce: (node, cancellable) => announce({ ...node, info: "" }, cancellable),
        }),
      })),
  },
  {
    rule: "update",
    title: "keeps saying what it said first",
    build: (options) =>
      withSession(memory(options), ({ announce }) => ({
        ...(announce && {
          announce: async (node, cancellable) => ({
            ...(await announce(node, cancellable)),
            async update() {},
          }),
        }),
      })),
  },
  {
    rule: "update",
    title: "updates by a goodbye and a new announcement",
    build: (options) =>
      withSession(memory(options), ({ announce }) => ({
        ...(announce && {
          async announce(node, cancellable) {
            let registration = await announce(node, cancellable);
            return {
              async update(changed, options) {
                await registration[Symbol.asyncDispose]();
                registration = await announce(changed, options);
              },
              [Symbol.asyncDispose]: () => registration[Symbol.asyncDispose](),
            };
          },
        }),
      })),
  },
  {
    rule: "farewell",
    title: "announces on a session that it never disposes",
    build(options) {
      const transport = memory(options);
      return {
        name: transport.name,
        async open(context, cancellable) {
          const session = await transport.open(context, cancellable);
          const { announce } = await transport.open(context, cancellable);
          return { ...session, ...(announce && { announce }) };
        },
      };
    },
  },
  {
    rule: "name-conflict",
    title: "takes another name than the chosen one, in silence",
    build: (options) =>
      withSession(memory(options), ({ announce }) => ({
        ...(announce && {
          announce: ({ name: _, ...node }, cancellable) => announce(node, cancellable),
        }),
      })),
  },
  {
    rule: "name-conflict",
    title: "refuses to announce under another name than the chosen one",
    build(options) {
      const transport = memory(options);
      return {
        name: transport.name,
        async open(context, cancellable) {
          let conflict: DiscoveryError | null = null;
          const report = (error: DiscoveryError): void => {
            if (error.code === "NAME_CONFLICT") conflict = error;
            context.report(error);
          };
          const session = await transport.open({ ...context, report }, cancellable);
          const announce: TransportSession["announce"] = async (...args) => {
            const registration = await session.announce?.(...args);
            if (!registration || conflict) throw conflict;
            return registration;
          };
          return { ...session, announce };
        },
      };
    },
  },
];
