import {
  type Check,
  checker,
  compose,
  type DiagnosisContext,
  silentLog,
  supervise,
  type Transport,
} from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, expect, test } from "vitest";
import { Bench, never } from "./bench.ts";

let bench: Bench;
let context: DiagnosisContext;

beforeEach(() => {
  bench = new Bench();
  context = { clock: bench.clock, random: () => 0.5, log: silentLog, neighbors: async () => [] };
});

/** Transport with one finding, or one that fails with the reason of an abort. */
class Patient implements Transport {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  async open(): Promise<never> {
    throw new Error("it must not be opened");
  }

  async *diagnose(_: DiagnosisContext, { signal }: { signal: AbortSignal }) {
    signal.throwIfAborted();
    yield checker("bus", { free: ["ok", "It is free."] }, this.name)("free", { message: "free" });
  }
}

async function examine(transport: Transport, signal = never): Promise<readonly (string | null)[]> {
  const found: Check[] = [];
  for await (const one of transport.diagnose?.(context, { signal }) ?? []) found.push(one);
  return found.map((one) => one.transport);
}

test("a composition finds what its members find, and passes over those that do not look", async () => {
  const silent = memory({ network: bench.left, name: "silent" });
  expect(await examine(compose([new Patient("a"), silent, new Patient("b")]))).toEqual(["a", "b"]);
});

test("a composition of transports that do not look does not either", () => {
  const [a, b] = ["a", "b"].map((name) => memory({ network: bench.left, name }));
  expect(a && b && "diagnose" in compose([a, b])).toBe(false);
});

test("a supervised transport finds what it finds alone", async () => {
  expect(await examine(supervise(new Patient("a")))).toEqual(["a"]);
  expect("diagnose" in supervise(memory({ network: bench.left, name: "b" }))).toBe(false);
});

test("an abort rejects with its reason", async () => {
  const reason = new Error("enough");
  await expect(
    examine(compose([new Patient("a"), new Patient("b")]), AbortSignal.abort(reason)),
  ).rejects.toBe(reason);
});
