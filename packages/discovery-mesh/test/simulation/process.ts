import { randomHex } from "@lmserv/discovery-core/transport";
import { unknownMachine } from "@lmserv/discovery-network";
import type { AliveRecord, NodeKey } from "@lmserv/discovery-signing";
import type { PeerHello } from "../../src/link/link.ts";
import { type DialFailure, Membership } from "../../src/membership/membership.ts";
import type { World } from "./world.ts";

/** A machine, with what outlives its processes. */
export interface Host {
  readonly name: string;
  readonly id: string;
  address: string;
  /** Nobody can dial it. */
  readonly isHidden: boolean;
  readonly seeds: readonly string[];
  savedEpoch: number;
  /** How far its wall clock is off. */
  wallOffsetMs: number;
}

/** Signatures are words here: what is simulated is not cryptography. */
const word = "signed";

const cluster = "simulated";

/** One run of a member on a host. */
export class Process {
  readonly host: Host;
  readonly membership: Membership;
  readonly instance: string;
  readonly startedMs: number;
  isAlive = true;
  /** Until then its event loop does not turn. */
  stalledUntilMs = 0;
  /** When it last stood still so long that it may have granted more time. */
  lastGrantMs = Number.NEGATIVE_INFINITY;
  /** What it told of members, by id: what a user would see. */
  readonly listed = new Map<string, string>();
  readonly problems: string[] = [];
  /** Processes that it told to have come back after their goodbye. */
  readonly returned: string[] = [];
  readonly #world: World;
  /** Of the members that it lists, which process that is. */
  readonly #instances = new Map<string, string>();
  readonly #farewells = new Set<string>();
  #version = 0;
  #cancelTick: () => void = () => {};

  constructor(world: World, host: Host) {
    this.#world = world;
    this.host = host;
    this.instance = randomHex(world.random, 64);
    this.startedMs = world.agenda.nowMs;
    const wallMs = Math.floor(this.startedMs + host.wallOffsetMs);
    host.savedEpoch = Math.max(host.savedEpoch + 1, wallMs, 1);
    const key: NodeKey = { id: host.id, publicKey: host.id, sign: () => word };
    const onEpoch = (epoch: number): void => {
      host.savedEpoch = epoch;
    };
    this.membership = new Membership({
      id: host.id,
      instance: this.instance,
      own: { key, epoch: host.savedEpoch, onEpoch },
      cluster,
      scheme: { idOf: (publicKey) => publicKey, verify: ({ signature }) => signature === word },
      random: world.random,
      maxPeers: 256,
      startMs: this.startedMs,
      timing: world.timing,
      effects: {
        dial: (url) => world.dial(this, url),
        alive: ({ id, record }) => this.#list(id, record),
        gone: (id, why) => this.#unlist(id, why),
        problem: (kind) => this.problems.push(kind),
        dropped: (peer) => this.problems.push(`dropped what ${peer} sent`),
      },
    });
    this.membership.seed(host.seeds, this.startedMs);
    this.say();
  }

  get hello(): PeerHello {
    const { id } = this.host;
    return {
      id,
      publicKey: id,
      epoch: this.membership.epoch ?? 0,
      instance: this.instance,
      role: "member",
      advertise: [urlOf(this.host)],
    };
  }

  /** What others have to list of it. */
  get info(): string {
    return `${this.host.name} ${this.startedMs} ${this.#version}`;
  }

  say(): void {
    this.later((membership) => {
      this.#version += 1;
      membership.say({
        addresses: [this.host.address],
        urls: [urlOf(this.host)],
        machine: unknownMachine,
        nodes: [{ id: this.host.id, port: 8000, info: this.info }],
      });
    });
  }

  /** Its event loop comes to it: at once, unless it stands still. */
  later(run: (membership: Membership, nowMs: number) => unknown): void {
    const { agenda } = this.#world;
    agenda.at(this.stalledUntilMs, () => {
      if (!this.isAlive) return;
      if (this.stalledUntilMs > agenda.nowMs) return this.later(run);
      run(this.membership, agenda.nowMs);
      this.#arm();
    });
  }

  dialFailed(url: string, why: DialFailure): void {
    this.later((membership, nowMs) => membership.dialFailed(url, why, nowMs));
  }

  #list(id: string, { instance, nodes }: AliveRecord): void {
    if (this.#farewells.has(instance)) this.returned.push(id);
    this.#instances.set(id, instance);
    this.listed.set(id, nodes[0]?.info ?? "");
  }

  #unlist(id: string, why: "goodbye" | "unreachable"): void {
    const instance = this.#instances.get(id);
    if (why === "goodbye" && instance !== undefined) this.#farewells.add(instance);
    this.listed.delete(id);
  }

  #arm(): void {
    const { agenda } = this.#world;
    this.#cancelTick();
    const tick = (): void => {
      if (!this.isAlive) return;
      if (this.stalledUntilMs > agenda.nowMs) return this.#wait(tick);
      this.membership.tick(agenda.nowMs, agenda.nowMs + this.host.wallOffsetMs);
      this.#arm();
    };
    this.#cancelTick = agenda.at(this.membership.nextMs(agenda.nowMs), tick);
  }

  #wait(tick: () => void): void {
    this.#cancelTick = this.#world.agenda.at(this.stalledUntilMs, tick);
  }
}

export function urlOf({ address }: Host): string {
  return `ws://${address}:7946`;
}
