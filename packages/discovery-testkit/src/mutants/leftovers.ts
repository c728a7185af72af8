import { memory } from "../memory.ts";
import { type Mutant, withSession, withSteps } from "./mutant.ts";

const aDayMs = 86_400_000;

export const leftoverMutants: readonly Mutant[] = [
  {
    rule: "handles",
    title: "never cancels a timer",
    build: (options) =>
      withSession(memory(options), (_, { clock }) => {
        clock.schedule(aDayMs, () => {});
        return {};
      }),
  },
  {
    rule: "rejections",
    title: "leaves a rejection behind at break",
    build: (options) =>
      withSteps(memory(options), (steps) => ({
        async return() {
          Promise.reject(new Error("abandoned"));
          return (await steps.return?.()) ?? { done: true, value: undefined };
        },
      })),
  },
];
