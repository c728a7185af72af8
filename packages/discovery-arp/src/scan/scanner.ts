import type { Clock } from "@lmserv/discovery-core/transport";
import { type Identification, type Quiet, serversOf, type Verdict } from "@lmserv/discovery-fingerprint";
import type { Platform } from "../platform.ts";

/** More ports of one host at the same time look like an attack. */
const maxPortsAtOnce = 8;
/** No LAN brings so many new hosts at a time that more than this wait. */
const crowd = 64;
/** Ports of a host that are asked first in a crowd: it is not there unless one of them shows it. */
const maxGreeted = 3;

export interface Scan {
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
 * Asks hosts whether LLM servers run on them, so many ports at the same time.
 *
 * A crowd of new neighbors is mostly nobody: made-up entries of the table, which would keep real hosts waiting for
 * minutes. While it lasts, a host that is silent at its first ports is left until its next turn.
 */
export class Scanner {
  readonly #machine: Pick<Platform, "look">;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Under way. Each host that is due is searched once, and is not due again for a while. */
  readonly #searches = new Set<Search>();
  readonly #maxLooks: number;
  /** First looks. */
  readonly #waiting: (() => void)[] = [];
  /** Second ones, which can wait for these. */
  readonly #patient: (() => void)[] = [];
  #looking = 0;

  /**
   * @param signal - Aborting it ends every question; answers are dropped then.
   * @param maxLooks - Ports that are asked at the same time, of all hosts together.
   */
  constructor(machine: Pick<Platform, "look">, clock: Clock, signal: AbortSignal, maxLooks: number) {
    this.#machine = machine;
    this.#clock = clock;
    this.#signal = signal;
    this.#maxLooks = maxLooks;
  }

  /** Has the ports of a host asked; what may only have been slow is asked once more, with patience. */
  search(scan: Scan): void {
    const ports = [...new Set(scan.ports)];
    const firstLooks = this.isCrowded ? this.#greet(scan, ports) : this.#askPorts(scan, ports, false);
    const whole = firstLooks.then((slow) => this.#askPorts(scan, slow, true));
    const search: Search = { firstLooks, whole: whole.finally(() => this.#searches.delete(search)) };
    this.#searches.add(search);
  }

  /** Whether more wait than a LAN can bring at a time. */
  get isCrowded(): boolean {
    return this.#waiting.length + this.#patient.length > crowd;
  }

  /** Resolves when every search that is under way has looked once at each port; at once in a crowd. */
  async firstLooks(): Promise<void> {
    if (this.isCrowded) return;
    await Promise.all([...this.#searches].map(({ firstLooks }) => firstLooks));
  }

  /** Resolves when every search that is under way now has ended, second looks included. */
  async ended(): Promise<void> {
    await Promise.all([...this.#searches].map(({ whole }) => whole));
  }

  /** One look at a port where a server is listed. Null when it was aborted. */
  look(host: string, port: number, patient: boolean): Promise<Verdict | null> {
    const [clock, signal] = [this.#clock, this.#signal];
    return this.#machine.look({ clock, signal, host, port, patient }).catch(() => null);
  }

  /** A first look at each port, but of a host that is silent at the first of them. */
  async #greet(scan: Scan, ports: readonly number[]): Promise<readonly number[]> {
    const greeted = ports.slice(0, maxGreeted);
    const slow = await this.#askPorts(scan, greeted, false);
    if (slow.length === greeted.length) return [];
    return [...slow, ...(await this.#askPorts(scan, ports.slice(maxGreeted), false))];
  }

  /** Resolves, and never rejects, with the ports that may only have been slow to answer. */
  async #askPorts(
    { host, onServer }: Scan,
    ports: readonly number[],
    patient: boolean,
  ): Promise<readonly number[]> {
    const turn = patient ? this.#patient : this.#waiting;
    const queue = [...ports];
    const slow: number[] = [];
    const work = async (): Promise<void> => {
      for (let port = queue.shift(); port !== undefined; port = queue.shift()) {
        const verdict = await this.#lookInTurn(host, port, patient, turn);
        if (verdict === null) return;
        for (const server of serversOf(verdict)) onServer(server, port);
        if (isSlow(verdict)) slow.push(port);
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxPortsAtOnce, queue.length) }, work));
    return slow;
  }

  /** Null when it was aborted. */
  async #lookInTurn(
    host: string,
    port: number,
    patient: boolean,
    turn: (() => void)[],
  ): Promise<Verdict | null> {
    await this.#enter(turn);
    const verdict = this.#signal.aborted ? null : await this.look(host, port, patient);
    this.#leave();
    return this.#signal.aborted ? null : verdict;
  }

  #enter(queue: (() => void)[]): Promise<void> | undefined {
    this.#looking += 1;
    if (this.#looking <= this.#maxLooks) return;
    return new Promise((resolve) => queue.push(resolve));
  }

  #leave(): void {
    this.#looking -= 1;
    const next = this.#waiting.shift() ?? this.#patient.shift();
    next?.();
  }
}
