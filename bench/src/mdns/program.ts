import { createInterface } from "node:readline";
import type { PeerCommand, PeerEvent } from "./protocol.ts";

/** Service to announce. */
type Service = Omit<Extract<PeerCommand, { command: "announce" }>, "command">;

/** An event of a browser, without its time. */
type Learned<Event = PeerEvent> = Event extends { readonly info: string } ? Omit<Event, "tMs"> : never;

/** Takes what a browser learned. */
export type Tell = (learned: Learned) => void;

/** A library as the benchmark drives it. Functions that it lacks are left out. */
export interface Library<Opened> {
  /** Preparations of users before they announce or browse. */
  readonly open: () => Promise<Opened> | Opened;
  /** Resolves when the library says that it is announced; the result says goodbye. */
  readonly announce?: (opened: Opened, service: Service) => Promise<() => Promise<unknown> | unknown>;
  readonly browse?: (opened: Opened, tell: Tell) => unknown;
  readonly reconfirm?: (opened: Opened, info: string) => unknown;
}

/** Makes this process a peer program: obeys standard input, stamps and reports on standard output. */
export function drive<Opened>(library: Library<Opened>): void {
  let opened: Promise<Opened> | undefined;
  let goodbye: () => unknown = () => {};

  async function open(): Promise<{ readonly library: Opened; readonly openMs: number }> {
    const startMs = monotonicMs();
    opened ??= Promise.resolve(library.open());
    return { library: await opened, openMs: monotonicMs() - startMs };
  }

  async function obey(order: PeerCommand): Promise<void> {
    const { library: user, openMs } = await open();
    const tMs = monotonicMs();
    if (order.command === "announce") {
      const announced = library.announce?.(user, order);
      report({ event: "announcing", tMs, openMs });
      goodbye = (await announced) ?? goodbye;
      report({ event: "announced", tMs: monotonicMs() });
    } else if (order.command === "browse") {
      library.browse?.(user, (learned) => report({ ...learned, tMs: monotonicMs() }));
      report({ event: "browsing", tMs, openMs });
    } else if (order.command === "goodbye") {
      goodbye();
      report({ event: "leaving", tMs, openMs });
    } else {
      library.reconfirm?.(user, order.info);
    }
  }

  createInterface({ input: process.stdin }).on("line", (line) => {
    obey(JSON.parse(line) as PeerCommand).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    });
  });
  report({ event: "ready" });
}

/** The address of this host, as the benchmark gave it. */
export function ownAddress(): string {
  const address = process.argv[2];
  if (address === undefined) throw new TypeError("the first argument is this host's address");
  return address;
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function report(event: PeerEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
