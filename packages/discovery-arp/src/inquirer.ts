import { setMaxListeners } from "node:events";
import type { Clock } from "@lmserv/discovery-core";
import type { Identification } from "@lmserv/discovery-identify";
import type { Machine } from "./machine.ts";

/** With eight ports each, a quarter of the descriptors that a process may have on most systems. */
const maxHostsAtOnce = 32;
/** More ports of one host at the same time look like an attack. */
const maxPortsAtOnce = 8;

export interface Inquiry {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly ports: readonly number[];
  readonly patient?: boolean;
  /** Takes each server the moment that it is known, and the port that was asked. */
  readonly onServer: (identification: Identification, askedPort: number) => void;
}

/** Asks hosts whether LLM servers run on them, a few hosts at the same time. */
export class Inquirer {
  readonly #machine: Pick<Machine, "look">;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param signal - Aborting it ends every question; answers are dropped then. */
  constructor(machine: Pick<Machine, "look">, clock: Clock, signal: AbortSignal) {
    this.#machine = machine;
    this.#clock = clock;
    this.#signal = signal;
    setMaxListeners(0, signal);
  }

  /** Resolves, and never rejects, with the ports that may only have been slow to answer. */
  async ask(inquiry: Inquiry): Promise<readonly number[]> {
    await this.#enter();
    try {
      return await this.#askPorts(inquiry);
    } finally {
      this.#leave();
    }
  }

  async #askPorts({ host, ports, patient = false, onServer }: Inquiry): Promise<readonly number[]> {
    const queue = [...new Set(ports)];
    const slow: number[] = [];
    const work = async (): Promise<void> => {
      for (let port = queue.shift(); port !== undefined; port = queue.shift()) {
        if (this.#signal.aborted) return;
        const verdict = await this.#look(host, port, patient);
        if (this.#signal.aborted) return;
        if (verdict?.kind === "server") onServer(verdict.identification, port);
        else if (
          verdict?.kind === "silent" &&
          (verdict.why === "no-connection" || verdict.why === "no-answer")
        )
          slow.push(port);
      }
    };
    await Promise.all(Array.from({ length: maxPortsAtOnce }, work));
    return slow;
  }

  async #look(
    host: string,
    port: number,
    patient: boolean,
  ): Promise<Awaited<ReturnType<Machine["look"]>> | null> {
    const [clock, signal] = [this.#clock, this.#signal];
    return this.#machine.look({ clock, signal, host, port, patient }).catch(() => null);
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
