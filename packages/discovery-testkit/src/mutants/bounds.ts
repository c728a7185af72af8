import type { SeenNode, Transport } from "@lmserv/discovery-core/transport";
import { type MemoryOptions, memory } from "../memory.ts";
import { decodeFrame } from "../memory-frame.ts";
import { type Mutant, type Step, withAdditions, withSession, withSteps } from "./mutant.ts";

function parse(frame: Uint8Array): { readonly node?: SeenNode } {
  return JSON.parse(new TextDecoder().decode(frame));
}

/** Parses input without checks. */
function fragile(options: MemoryOptions): Transport {
  return withSession(memory(options), (session) => {
    const link = options.network.join({ receive: (frame) => void parse(frame), failed() {} });
    return {
      async [Symbol.asyncDispose]() {
        link.leave();
        await session[Symbol.asyncDispose]();
      },
    };
  });
}

/** Also reports input that fails the checks. */
function gullible(options: MemoryOptions): Transport {
  const { network, name: via = "memory" } = options;
  return withAdditions(memory(options), (sink, { ttlMs }) => {
    const report = { kind: "alive", via, key: "unchecked", origin: "", heardMs: null, ttlMs } as const;
    const receive = (frame: Uint8Array): void => {
      const node = decodeFrame(frame) ? undefined : described(frame);
      if (node) sink.push({ ...report, node: { ...node, addresses: [] } });
    };
    const link = network.join({ receive, failed() {} });
    return { take() {}, stop: () => link.leave() };
  });
}

function described(frame: Uint8Array): SeenNode | undefined {
  try {
    return parse(frame).node;
  } catch {
    return undefined;
  }
}

/** Stays one step ahead of its consumer, however slow that is. */
function hoarding(options: MemoryOptions): Transport {
  return withSteps(memory(options), (steps) => {
    const ahead: Promise<Step>[] = [];
    const pull = (): Promise<Step> => {
      const step = steps.next();
      step.then(
        ({ done }) => !done && ahead.push(pull()),
        () => {},
      );
      return step;
    };
    return { next: () => ahead.shift() ?? pull() };
  });
}

export const boundMutants: readonly Mutant[] = [
  { rule: "hostile-input", title: "throws at what it cannot parse", build: fragile },
  { rule: "hostile-input", title: "reports what it did not check", build: gullible },
  { rule: "slow-consumer", title: "keeps every report for a slow consumer", build: hoarding },
  {
    rule: "capacity",
    title: "keeps every node that it hears of",
    build: (options) => memory({ ...options, maxNodes: Number.POSITIVE_INFINITY }),
  },
];
