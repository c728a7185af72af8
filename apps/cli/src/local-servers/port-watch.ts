import { type Clock, sleep } from "@lmserv/discovery-core/transport";
import type { Listener } from "@lmserv/discovery-network";
import { type BoundPort, type PortChange, PortPresence } from "./port-presence.ts";

export interface PortWatchOptions {
  /** Ports to watch. */
  readonly ports: readonly number[];
  readonly clock: Clock;
  /** Listening sockets of this machine, or null if the system does not tell. */
  readonly readListeners: () => Promise<readonly Listener[] | null>;
  /** Resolves with true if the port of this machine accepts a connection. */
  readonly isAccepted: (port: number, signal: AbortSignal) => Promise<boolean>;
  /** True if the user named the port, and waits for it. */
  readonly isNamed: boolean;
  /** Ends the watch: the iteration rejects with its reason. */
  readonly signal: AbortSignal;
}

/** Interval of reading the system's table, in ms; that sends nothing. */
const tableMs = 1_000;
/** Interval while a port is missing, in ms, so that its end is reported in time. */
const waitingMs = 250;
/** Interval of connections to an open port outside the table, in ms, such as one that Docker forwards. */
const acceptedMs = 2_000;
/** Interval of connections to a closed port that the user did not name, in ms. */
const closedMs = 10_000;

/** Generation of a port that only a connection shows. */
const hidden = "hidden";

/** Yields every change of the ports, the present state first. */
export async function* watchPorts(options: PortWatchOptions): AsyncGenerator<PortChange, never> {
  const { clock, signal } = options;
  const presence = new PortPresence();
  const attempts = new Attempts(options);
  for (;;) {
    signal.throwIfAborted();
    const visible = visiblePorts(await options.readListeners(), options.ports);
    const others = options.ports.filter((port) => !visible.some((boundPort) => boundPort.port === port));
    const forwarded = await attempts.open(others);
    signal.throwIfAborted();
    yield* presence.look([...visible, ...forwarded], clock.now());
    await sleep(clock, presence.isWaiting ? waitingMs : tableMs, signal);
  }
}

/** Ports of the table, each with the sockets that are bound to it as its generation. */
function visiblePorts(listeners: readonly Listener[] | null, ports: readonly number[]): BoundPort[] {
  return ports.flatMap((port) => {
    const sockets = listeners?.filter((listener) => listener.port === port) ?? [];
    const generation = sockets
      .map(({ inode }) => inode)
      .sort()
      .join();
    return sockets.length === 0 ? [] : [{ port, generation }];
  });
}

/** Connections to ports that the table does not show, limited in their rate. */
class Attempts {
  readonly #options: PortWatchOptions;
  readonly #last = new Map<number, { readonly atMs: number; readonly isOpen: boolean }>();

  constructor(options: PortWatchOptions) {
    this.#options = options;
  }

  async open(ports: readonly number[]): Promise<readonly BoundPort[]> {
    const open = await Promise.all(ports.map((port) => this.#isOpen(port)));
    return ports.filter((_, index) => open[index]).map((port) => ({ port, generation: hidden }));
  }

  async #isOpen(port: number): Promise<boolean> {
    const { clock, isAccepted, isNamed, signal } = this.#options;
    const last = this.#last.get(port);
    const restMs = last?.isOpen || isNamed ? acceptedMs : closedMs;
    // A wait may exceed its limit by a millisecond.
    if (last && clock.now() - last.atMs < restMs - waitingMs) return last.isOpen;
    const isOpen = await isAccepted(port, signal);
    this.#last.set(port, { atMs: clock.now(), isOpen });
    return isOpen;
  }
}
