import type { DiscoveryError, Log } from "@lmserv/discovery-core";
import { type Alive, type Clock, systemClock, type TransportContext } from "@lmserv/discovery-core/transport";
import { type MeshOptions, mesh } from "../src/transport.ts";

/** A member or an observer with real sockets on this machine's loopback, and what it sees and reports. */
export interface TestMember extends AsyncDisposable {
  readonly name: string;
  /** What the nodes that it sees are called, itself included, in the order of the alphabet. */
  readonly listed: () => readonly string[];
  /** Those of them that it hears by way of others. */
  readonly relayed: () => readonly string[];
  readonly reports: readonly DiscoveryError[];
  /** Where it did not make a link, and why. */
  readonly missed: readonly unknown[];
  /** How many messages it dropped. */
  readonly dropped: () => number;
}

export interface TestMemberOptions extends MeshOptions {
  /** Of the port at which it listens, 0 for none. */
  readonly port: number;
  /** @default the system's */
  readonly clock?: Clock;
  /** Tells what other transports find. */
  readonly follow?: NonNullable<TransportContext["follow"]>;
}

/** Below those that the system gives away, and hardly those of another process that runs these tests. */
let lastPort = 10_000 + Math.floor(Math.random() * 20_000);

/** A port of this process's own, since members have to know each other's beforehand. */
export function nextPort(): number {
  lastPort += 1;
  return lastPort;
}

export async function startMember(name: string, options: TestMemberOptions): Promise<TestMember> {
  const { port, follow, clock = systemClock, ...rest } = options;
  const reports: DiscoveryError[] = [];
  const seen = new Map<string, Alive>();
  let dropped = 0;
  const missed: unknown[] = [];
  const log: Log = (_, message, details) => {
    if (message.startsWith("dialled in vain")) missed.push(details);
    dropped += Number(message.startsWith("a message was dropped"));
  };
  const ending = new AbortController();
  const { signal } = ending;
  const listen = port === 0 ? [] : [{ host: "127.0.0.1", port }];
  const session = await mesh({ listen, ...rest }).open(
    {
      clock,
      random: Math.random,
      log,
      nodes: { listAlive: () => [] },
      ...(follow && { follow }),
      report: (error) => reports.push(error),
    },
    { signal },
  );
  const watching = (async () => {
    for await (const report of session.browse({ ttlMs: 60_000 }, { signal })) {
      if (report.kind === "alive") seen.set(report.key, report);
      if (report.kind === "gone") seen.delete(report.key);
    }
  })();
  await session.announce?.({ id: randomId(), port: 8_000, info: name }, { signal });
  const namesOf = (reports: readonly Alive[]): string[] => reports.map(({ node }) => node.info).sort();
  return {
    name,
    listed: () => namesOf([...seen.values()]),
    relayed: () => namesOf([...seen.values()].filter(({ relayed }) => relayed)),
    reports,
    missed,
    dropped: () => dropped,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await watching;
    },
  };
}

function randomId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
