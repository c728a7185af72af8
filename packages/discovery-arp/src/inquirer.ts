import type { Clock } from "@lmserv/discovery-core";
import { type Identification, type Quiet, serversOf, type Verdict } from "@lmserv/discovery-identify";
import type { Machine } from "./machine.ts";

/** With eight ports each, a quarter of the descriptors that a process may have on most systems. */
const maxHostsAtOnce = 32;
/** More ports of one host at the same time look like an attack. */
const maxPortsAtOnce = 8;

export interface Inquiry {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly ports: readonly number[];
  /** Takes each server the moment that it is known, and the port that was asked. */
  readonly onServer: (identification: Identification, askedPort: number) => void;
}

/** Which ports of a first look are asked once more, with patience. */
const worthPatience: Readonly<Record<Quiet, boolean>> = {
  "no-connection": true,
  "no-answer": true,
  unasked: true,
  refused: false,
  "no-route": false,
  closed: false,
};

function isSlow(verdict: Verdict): boolean {
  return verdict.kind === "silent" && worthPatience[verdict.why];
}

/** Looks for servers on a host: all that was begun, and the part of it that others wait for. */
interface Search {
  readonly firstLooks: Promise<readonly number[]>;
  readonly whole: Promise<unknown>;
}

/**
 * Asks hosts whether LLM servers run on them, a few hosts at the same time.
 *
 * Nobody else has the means to look, so that no work is left out when the end of it is waited for.
 */
export class Inquirer {
  readonly #machine: Pick<Machine, "look">;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Under way. Each host that is due is searched once, and is not due again for a while. */
  readonly #searches = new Set<Search>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param signal - Aborting it ends every question; answers are dropped then. */
  constructor(machine: Pick<Machine, "look">, clock: Clock, signal: AbortSignal) {
    this.#machine = machine;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Has the ports of a host asked; what may only have been slow is asked once more, with patience. */
  search(inquiry: Inquiry): void {
    const firstLooks = this.#askHost(inquiry, false);
    const whole = firstLooks.then((slow) =>
      slow.length > 0 ? this.#askHost({ ...inquiry, ports: slow }, true) : slow,
    );
    const search: Search = { firstLooks, whole: whole.finally(() => this.#searches.delete(search)) };
    this.#searches.add(search);
  }

  /** Resolves when every search that is under way has looked once at each port. */
  async firstLooks(): Promise<void> {
    await Promise.all([...this.#searches].map(({ firstLooks }) => firstLooks));
  }

  /** Resolves when every search that is under way now has ended, second looks included. */
  async ended(): Promise<void> {
    await Promise.all([...this.#searches].map(({ whole }) => whole));
  }

  /** One look at a port where a server is listed. Null when it was aborted. */
  async look(host: string, port: number, patient: boolean): Promise<Verdict | null> {
    const [clock, signal] = [this.#clock, this.#signal];
    return this.#machine.look({ clock, signal, host, port, patient }).catch(() => null);
  }

  /** Resolves, and never rejects, with the ports that may only have been slow to answer. */
  async #askHost(inquiry: Inquiry, patient: boolean): Promise<readonly number[]> {
    await this.#enter();
    try {
      return await this.#askPorts(inquiry, patient);
    } finally {
      this.#leave();
    }
  }

  async #askPorts({ host, ports, onServer }: Inquiry, patient: boolean): Promise<readonly number[]> {
    const queue = [...new Set(ports)];
    const slow: number[] = [];
    const work = async (): Promise<void> => {
      for (let port = queue.shift(); port !== undefined; port = queue.shift()) {
        if (this.#signal.aborted) return;
        const verdict = await this.look(host, port, patient);
        if (verdict === null || this.#signal.aborted) return;
        for (const server of serversOf(verdict)) onServer(server, port);
        if (isSlow(verdict)) slow.push(port);
      }
    };
    await Promise.all(Array.from({ length: maxPortsAtOnce }, work));
    return slow;
  }

  #enter(): Promise<void> | undefined {
    this.#running += 1;
    if (this.#running <= maxHostsAtOnce) return;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }
}
