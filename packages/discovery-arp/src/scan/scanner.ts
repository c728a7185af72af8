import type { Clock } from "@lmserv/discovery-core/transport";
import {
  type Fingerprint,
  type Identification,
  type NoReply,
  serversOf,
} from "@lmserv/discovery-fingerprint";
import type { Platform } from "../platform.ts";

/** Ports asked at once on one host; more would look like an attack. */
const maxPortsAtOnce = 8;
/** Searches that may wait before new hosts count as a crowd; no LAN brings so many at a time. */
const crowd = 64;
/** Ports asked first in a crowd; a host silent at all of them counts as absent. */
const maxGreeted = 3;

export interface Scan {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly ports: readonly number[];
  /** Receives each server at once, with the port that was asked. */
  readonly onServer: (identification: Identification, askedPort: number) => void;
}

/** First looks that deserve a second, patient one. */
const worthPatience: Readonly<Record<NoReply, boolean>> = {
  "no-connection": true,
  "no-answer": true,
  unasked: true,
  refused: false,
  "no-route": false,
  closed: false,
};

function isSlow(result: Fingerprint): boolean {
  return result.kind === "silent" && worthPatience[result.why];
}

/** Search on one host: the whole, and the first looks that others wait for. */
interface Search {
  readonly firstLooks: Promise<readonly number[]>;
  readonly whole: Promise<unknown>;
}

/**
 * Searches hosts for LLM servers, a bounded number of ports at once.
 *
 * A crowd of new neighbors mostly consists of forged table entries, which would delay real hosts by minutes.
 * While it lasts, a host that is silent at its first ports waits for its next turn.
 */
export class Scanner {
  readonly #machine: Pick<Platform, "fingerprint">;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Running searches; a due host is searched once, and rests then. */
  readonly #searches = new Set<Search>();
  readonly #maxLooks: number;
  /** Waiting first looks. */
  readonly #waiting: (() => void)[] = [];
  /** Waiting second looks, which give way to first ones. */
  readonly #patient: (() => void)[] = [];
  #looking = 0;

  /**
   * @param signal - Ends every question when aborted; answers are dropped then.
   * @param maxLooks - Ports asked at once on all hosts together.
   */
  constructor(machine: Pick<Platform, "fingerprint">, clock: Clock, signal: AbortSignal, maxLooks: number) {
    this.#machine = machine;
    this.#clock = clock;
    this.#signal = signal;
    this.#maxLooks = maxLooks;
  }

  /** Asks the ports of a host; ports that may be slow are asked once more, with patience. */
  search(scan: Scan): void {
    const ports = [...new Set(scan.ports)];
    const firstLooks = this.isCrowded ? this.#greet(scan, ports) : this.#askPorts(scan, ports, false);
    const whole = firstLooks.then((slow) => this.#askPorts(scan, slow, true));
    const search: Search = { firstLooks, whole: whole.finally(() => this.#searches.delete(search)) };
    this.#searches.add(search);
  }

  /** True if more searches wait than a LAN brings at a time. */
  get isCrowded(): boolean {
    return this.#waiting.length + this.#patient.length > crowd;
  }

  /** Resolves when every running search has looked once at each port; at once in a crowd. */
  async firstLooks(): Promise<void> {
    if (this.isCrowded) return;
    await Promise.all([...this.#searches].map(({ firstLooks }) => firstLooks));
  }

  /** Resolves when every search running now has ended, second looks included. */
  async ended(): Promise<void> {
    await Promise.all([...this.#searches].map(({ whole }) => whole));
  }

  /** Looks once at the port of a listed server. Null if aborted. */
  fingerprint(host: string, port: number, patient: boolean): Promise<Fingerprint | null> {
    const [clock, signal] = [this.#clock, this.#signal];
    return this.#machine.fingerprint({ clock, signal, host, port, patient }).catch(() => null);
  }

  /** Looks at each port; a host that is silent at the first ports is skipped. */
  async #greet(scan: Scan, ports: readonly number[]): Promise<readonly number[]> {
    const greeted = ports.slice(0, maxGreeted);
    const slow = await this.#askPorts(scan, greeted, false);
    if (slow.length === greeted.length) return [];
    return [...slow, ...(await this.#askPorts(scan, ports.slice(maxGreeted), false))];
  }

  /** Asks ports, and resolves with those that may be slow; never rejects. */
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
        const result = await this.#lookInTurn(host, port, patient, turn);
        if (result === null) return;
        for (const server of serversOf(result)) onServer(server, port);
        if (isSlow(result)) slow.push(port);
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxPortsAtOnce, queue.length) }, work));
    return slow;
  }

  /** Null if aborted. */
  async #lookInTurn(
    host: string,
    port: number,
    patient: boolean,
    turn: (() => void)[],
  ): Promise<Fingerprint | null> {
    await this.#enter(turn);
    const result = this.#signal.aborted ? null : await this.fingerprint(host, port, patient);
    this.#leave();
    return this.#signal.aborted ? null : result;
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
