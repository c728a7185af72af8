/** Look at one port: bound sockets, told apart from earlier ones by `generation`. */
export interface BoundPort {
  readonly port: number;
  /** Changes when the server restarts or is bound elsewhere. */
  readonly generation: string;
}

/** Change of a port; `restarted` also covers a server that is bound to other addresses. */
export type PortChange =
  | { readonly kind: "opened"; readonly port: number }
  | { readonly kind: "restarted"; readonly port: number }
  | { readonly kind: "closed"; readonly port: number };

/** Closure below which a port is restarted, in ms; its goodbye leaves within 2 s of the server's end. */
const absenceMs = 1_900;

interface OpenPort {
  generation: string;
  lastSeenMs: number;
  isMissing: boolean;
}

/** Open ports, from looks at all of them: a short absence is a restart, a longer one an end. */
export class PortPresence {
  readonly #open = new Map<number, OpenPort>();

  /** True if a port is missing whose absence may turn out short. */
  get isWaiting(): boolean {
    return [...this.#open.values()].some(({ isMissing }) => isMissing);
  }

  /** Takes a whole look: every open port, at a time of the monotonic clock. */
  look(boundPorts: readonly BoundPort[], nowMs: number): readonly PortChange[] {
    const seen = new Map(boundPorts.map((boundPort) => [boundPort.port, boundPort]));
    const changes = [...seen.values()].flatMap((boundPort) => this.#see(boundPort, nowMs));
    const missing = [...this.#open.keys()].filter((port) => !seen.has(port));
    return [...changes, ...missing.flatMap((port) => this.#miss(port, nowMs))];
  }

  #see({ port, generation }: BoundPort, nowMs: number): PortChange[] {
    const before = this.#open.get(port);
    this.#open.set(port, { generation, lastSeenMs: nowMs, isMissing: false });
    if (!before) return [{ kind: "opened", port }];
    return before.generation === generation ? [] : [{ kind: "restarted", port }];
  }

  #miss(port: number, nowMs: number): PortChange[] {
    const open = this.#open.get(port);
    if (!open) return [];
    open.isMissing = true;
    if (nowMs - open.lastSeenMs < absenceMs) return [];
    this.#open.delete(port);
    return [{ kind: "closed", port }];
  }
}
