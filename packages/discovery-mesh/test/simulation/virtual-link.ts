import type { Link, LinkClose, LinkEnd, PeerHello } from "../../src/link/link.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** From the moment when a peer falls silent until its link ends for it: a ping, and two that are missed. */
const silentMs = { least: 7_000, most: 9_750 };
/** So often a ping goes to and fro. */
const pingMs = 5_000;

/** A connection between two processes: in order, delayed, and broken off by what breaks connections. */
export class Connection {
  readonly ends: readonly [VirtualLink, VirtualLink];
  readonly #world: World;

  constructor(world: World, dialer: Process, acceptor: Process, url: string) {
    this.#world = world;
    this.ends = [new VirtualLink(this, dialer, acceptor, url), new VirtualLink(this, acceptor, dialer, null)];
  }

  get world(): World {
    return this.#world;
  }

  get isOpen(): boolean {
    return this.ends.some(({ isOpen }) => isOpen);
  }

  joins(a: Process, b: Process): boolean {
    const [{ owner: first }, { owner: second }] = this.ends;
    return (first === a && second === b) || (first === b && second === a);
  }

  /** Both ends find out by themselves that nothing comes any more, unless `isOver`. */
  fallSilent(isOver: () => boolean): void {
    const { agenda } = this.#world;
    for (const end of this.ends) {
      end.fallSilent();
      const afterMs = this.#world.between(silentMs.least, silentMs.most);
      agenda.at(agenda.nowMs + afterMs, () => {
        if (!isOver()) end.finish({ kind: "silent" });
      });
    }
  }
}

/** One end of a connection. */
export class VirtualLink implements Link {
  readonly peer: PeerHello;
  readonly dialed: boolean;
  readonly url: string | null;
  readonly remoteAddress: string;
  readonly observedAddress = null;
  readonly owner: Process;
  readonly #remote: Process;
  readonly #connection: Connection;
  isOpen = true;
  /** When the last ping is known to have gone to and fro. */
  #heardMs: number;
  #silentSinceMs: number | null = null;
  /** Messages keep their order, however long each takes. */
  #lastArrivalMs = 0;

  constructor(connection: Connection, owner: Process, remote: Process, url: string | null) {
    this.#connection = connection;
    this.owner = owner;
    this.#remote = remote;
    this.#heardMs = connection.world.agenda.nowMs;
    this.peer = remote.hello;
    this.remoteAddress = remote.host.address;
    this.dialed = url !== null;
    this.url = url;
  }

  get heardMs(): number {
    const { world } = this.#connection;
    const { nowMs } = world.agenda;
    const answers = this.#remote.isAlive && this.#remote.stalledUntilMs <= nowMs;
    const isHeard = this.isOpen && answers && !world.isCut(this.owner, this.#remote);
    if (isHeard) this.#silentSinceMs = null;
    this.#heardMs = Math.max(this.#heardMs, (this.#silentSinceMs ?? nowMs) - pingMs);
    return this.#heardMs;
  }

  /** Nothing comes any more. */
  fallSilent(): void {
    this.#silentSinceMs ??= this.#connection.world.agenda.nowMs;
  }

  send(text: string): void {
    const { world } = this.#connection;
    if (!this.isOpen || !this.owner.isAlive) return;
    world.messages += 1;
    if (world.chance(world.faults.loss)) return;
    const copies = world.chance(world.faults.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#arrive(() => this.#other.#receive(text));
  }

  /** Nothing arrives before the other end is up. */
  delayUntil(arrivalMs: number): void {
    this.#lastArrivalMs = arrivalMs;
  }

  async close(code: LinkClose): Promise<void> {
    if (!this.isOpen) return;
    this.finish({ kind: "closed", code, remote: false });
    this.#arrive(() => this.#other.finish({ kind: "closed", code, remote: true }));
  }

  /** The process that owns this end is gone; the system tells the other one. */
  terminate(): void {
    this.isOpen = false;
    this.#arrive(() => this.#other.finish({ kind: "reset" }));
  }

  finish(end: LinkEnd): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    // As from a callback of a socket: never within the call that caused it.
    this.owner.later((membership, nowMs) => membership.linkDown(this, end, nowMs));
    if (end.kind === "silent") this.#arrive(() => this.#other.finish({ kind: "reset" }));
  }

  get #other(): VirtualLink {
    const [first, second] = this.#connection.ends;
    return first === this ? second : first;
  }

  #receive(text: string): void {
    const { world } = this.#connection;
    const arrivedMs = world.agenda.nowMs;
    if (!this.isOpen) return;
    this.owner.later((membership, nowMs) => {
      if (nowMs > arrivedMs && world.tellsOfDead(text)) {
        world.maxQueuedMs = Math.max(world.maxQueuedMs, nowMs - arrivedMs);
      }
      membership.received(this, text, nowMs);
    });
  }

  /** Something reaches the other end; while there is no way, it waits for one. */
  #arrive(run: () => void): void {
    const { world } = this.#connection;
    const { agenda } = world;
    const atMs = Math.max(agenda.nowMs + world.latencyMs(), this.#lastArrivalMs);
    this.#lastArrivalMs = atMs;
    const sentMs = agenda.nowMs;
    const attempt = (): void => {
      if (world.isCut(this.owner, this.#remote)) return void agenda.at(agenda.nowMs + 500, attempt);
      world.maxTransitMs = Math.max(world.maxTransitMs, agenda.nowMs - sentMs);
      run();
    };
    agenda.at(atMs, attempt);
  }
}
