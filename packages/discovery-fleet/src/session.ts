import { setImmediate as turn } from "node:timers/promises";
import {
  type Announced,
  type BrowseQuery,
  type Cancellable,
  DiscoveryError,
  type Observation,
  type ObservationSink,
  observationStream,
  Reminder,
  type SeenNode,
  type Standing,
  Standstill,
  type TransportContext,
  type TransportSession,
  toDiscoveryError,
} from "@lmserv/discovery-core";
import { type AliveRecord, type Identity, mendCopy, seenNode } from "@lmserv/discovery-identity";
import { isSameStack } from "@lmserv/discovery-network";
import { Audience, type Report } from "./audience.ts";
import type { EngineConnection, EngineEntry, EngineEvent } from "./engine.ts";
import { Inspector, type Refusal } from "./inspector.ts";
import { Pen } from "./pen.ts";
import { Publication } from "./publication.ts";
import { type Entry, Roster } from "./roster.ts";
import { type Machine, Surroundings } from "./surroundings.ts";
import { Survey } from "./survey.ts";
import { goodbye } from "./value.ts";
import { isOutdated } from "./word-age.ts";

export interface SessionOptions {
  readonly name: string;
  readonly cluster: string;
  readonly lifetimeMs: number;
  readonly identity: Identity;
  /** Null for those that are found out. */
  readonly addresses: readonly string[] | null;
  readonly maxNodes: number;
}

/** How often this machine's addresses are looked at. */
const lookAroundMs = 15_000;
/** So many signatures take some ms; after them others have their turn. */
const entriesPerTurn = 32;
/** What waited for a process that was stopped is read within this time. */
const catchUpMs = 5_000;
/** A rack of servers behind one gateway; more from one process wants several sessions. */
const maxPublications = 1_000;

/** One process in a fleet: follows what the engine has, and keeps in it what this process announces. */
export class FleetSession implements TransportSession {
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #connection: EngineConnection;
  readonly #surroundings: Surroundings;
  readonly #inspector: Inspector;
  readonly #roster: Roster;
  readonly #survey: Survey;
  readonly #audience: Audience;
  readonly #pen: Pen;
  readonly #closing = new AbortController();
  readonly #standstill = new Standstill();
  readonly #publications = new Map<string, Publication>();
  /** Of those in `#publications`, what the engine has acknowledged. */
  readonly #said = new Set<Publication>();
  readonly #unsettled = new Set<ObservationSink>();
  readonly #refusals = new Map<Refusal | "full", number>();
  /** Other processes that announce with our key. */
  readonly #rivals = new Reminder();
  readonly #hostname: string;
  #seen = new WeakMap<AliveRecord, SeenNode>();
  #isSettled = false;
  #following: Promise<void> | null = null;
  #timer: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #lookingAround: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(
    context: TransportContext,
    options: SessionOptions,
    connection: EngineConnection,
    machine: Machine,
  ) {
    const { clock, random } = context;
    const { name, cluster, lifetimeMs, identity, addresses, maxNodes } = options;
    this.#context = context;
    this.#options = options;
    this.#connection = connection;
    this.#surroundings = new Surroundings(machine, addresses);
    this.#hostname = machine.hostname();
    this.#inspector = new Inspector(cluster, () => clock.wall());
    this.#survey = new Survey({ clock, random, look: machine.look, signal: this.#closing.signal });
    this.#audience = new Audience(name, clock, () => this.#reports());
    this.#pen = new Pen({ identity, cluster, lifetimeMs, random, wall: () => clock.wall() });
    this.#roster = new Roster({
      maxNodes,
      random,
      on: {
        alive: (entry) => this.#show(entry),
        gone: ({ key }, reason) => this.#audience.dismiss(key, reason),
        doubted: (entry) => this.#doubt(entry),
      },
    });
  }

  /** How many values in the engine were ignored, by the reason. */
  get refusals(): ReadonlyMap<Refusal | "full", number> {
    return this.#refusals;
  }

  browse({ ttlMs }: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        const leave = this.#audience.add(sink, ttlMs);
        if (this.#isSettled) this.#audience.settle([sink]);
        else this.#unsettled.add(sink);
        this.#following ??= this.#follow();
        this.#watchSurroundings();
        return () => {
          leave();
          this.#unsettled.delete(sink);
        };
      },
    });
  }

  async announce(node: Announced, { signal }: Cancellable): Promise<Standing> {
    signal.throwIfAborted();
    if (this.#publications.size >= maxPublications) {
      throw new RangeError(`a session announces ${maxPublications} nodes at most; this would be one more`);
    }
    const publication = this.#publish(node);
    try {
      await publication.open({ signal });
    } catch (error) {
      this.#publications.delete(publication.key);
      throw error;
    }
    this.#watchSurroundings();
    return publication;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #publish(node: Announced): Publication {
    const { clock } = this.#context;
    const said = { hostname: this.#hostname, ...node };
    const publication: Publication = new Publication(said, {
      clock,
      pen: this.#pen,
      connection: this.#connection,
      placeOf: (said) => this.#surroundings.placeOf(said),
      on: {
        said: () => {
          this.#said.add(publication);
          this.#audience.tell(this.#ownReport(publication));
        },
        withdrawn: ({ key }) => {
          this.#publications.delete(key);
          if (this.#said.delete(publication)) this.#audience.dismiss(key, "goodbye");
        },
      },
    });
    if (this.#publications.has(publication.key)) {
      throw new RangeError(`the node ${node.id} is announced already`);
    }
    this.#publications.set(publication.key, publication);
    return publication;
  }

  /** Follows the engine until the session ends. Never rejects. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for await (const event of this.#connection.watch({ signal })) {
        await this.#take(event);
        this.#arm();
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#context.report(toDiscoveryError(error, "TRANSPORT_FAILED", this.#options.name));
    }
  }

  async #take(event: EngineEvent): Promise<void> {
    const nowMs = this.#context.clock.now();
    switch (event.kind) {
      case "snapshot":
        return this.#reconcile(event.entries);
      case "put":
        return this.#read(event);
      case "delete":
        if (this.#publications.has(event.key)) return;
        // A goodbye that was replaced before it was told is known by the removal that replaced it.
        if (event.wasRemoved) return this.#roster.remove(event.key, "goodbye");
        return this.#roster.drop(event.key, nowMs);
      case "lost":
        this.#context.report(event.error);
        return this.#roster.lose(event.error.code, nowMs);
    }
  }

  async #reconcile(entries: readonly EngineEntry[]): Promise<void> {
    for (const [index, entry] of entries.entries()) {
      this.#read(entry);
      if (index % entriesPerTurn === entriesPerTurn - 1) await turn();
      if (this.#closing.signal.aborted) return;
    }
    const present = entries.filter(({ value }) => value !== goodbye).map(({ key }) => key);
    this.#roster.reconcile(new Set(present), this.#context.clock.now());
    this.#isSettled = true;
    this.#audience.settle(this.#unsettled);
    this.#unsettled.clear();
  }

  #read(entry: EngineEntry): void {
    const { key, value } = entry;
    const nowMs = this.#context.clock.now();
    if (this.#publications.has(key)) return this.#readOwn(entry);
    if (value === goodbye) return this.#roster.remove(key, "goodbye");
    if (this.#roster.confirm(key, value)) return;
    const latest = this.#roster.latest(key);
    // What was accepted once needs no second proof: a node that was cut off puts the same value again.
    const inspection = this.#inspector.inspect(entry, latest?.value === value ? null : latest);
    if (inspection.kind === "refused") {
      this.#roster.contest(key, nowMs);
      return this.#refuse(inspection.why, key);
    }
    const { record } = inspection;
    const refusal = this.#roster.refusalOf(key, record.id);
    if (refusal !== null) return this.#refuse(refusal, key);
    this.#roster.put(key, { value, version: record }, record);
  }

  /** Another start with our key, and not one from before ours, is a copy of this machine. */
  #readOwn(entry: EngineEntry): void {
    const inspection = this.#inspector.inspect(entry, null);
    if (inspection.kind === "refused") return;
    const { instance, epoch, machine, nodes, addresses } = inspection.record;
    const { identity, name: via } = this.#options;
    if (instance === this.#pen.instance || epoch < identity.epoch) return;
    if (!this.#rivals.isDue(instance, this.#context.clock.now())) return;
    const where = isSameStack(machine, this.#surroundings.mark)
      ? "of this machine"
      : `on ${nodes[0]?.hostname ?? "another machine"} (${addresses.join(", ")})`;
    const message = `another process ${where} announces with our key; the later start is listed; ${mendCopy(identity)}`;
    this.#context.report(new DiscoveryError("NAME_CONFLICT", message, { via }));
  }

  #refuse(why: Refusal | "full", key: string): void {
    const count = (this.#refusals.get(why) ?? 0) + 1;
    this.#refusals.set(why, count);
    this.#context.log("debug", "a value in the engine is ignored", { why, key, count });
    if (why !== "full" || count > 1) return;
    const { maxNodes, name: via } = this.#options;
    const message = `the engine has more than ${maxNodes} nodes, which is the limit; newcomers are not listed`;
    this.#context.report(new DiscoveryError("REGISTRY_FULL", message, { via }));
  }

  #doubt(entry: Entry): void {
    const [node] = entry.record.nodes;
    if (!node) return;
    const addresses = this.#seenOf(entry.record).addresses.map(({ address }) => address);
    this.#survey.ask(
      { id: node.id, port: node.port, addresses },
      () => this.#roster.isDoubted(entry),
      (isAlive) => {
        this.#roster.answer(entry, isAlive, this.#context.clock.now());
        this.#arm();
      },
    );
  }

  /** Wakes when the roster's next deadline is due. */
  #arm(): void {
    const atMs = this.#roster.nextDeadlineMs();
    if (this.#closing.signal.aborted || atMs === (this.#timer?.atMs ?? null)) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (atMs !== null) this.#wakeAt(atMs);
  }

  #wakeAt(atMs: number): void {
    const { clock } = this.#context;
    const cancel = clock.schedule(Math.max(0, atMs - clock.now()), () => this.#wake());
    this.#standstill.expect(atMs);
    this.#timer = { atMs, cancel };
  }

  /** A process that was stopped reads first what came meanwhile. */
  #wake(): void {
    const nowMs = this.#context.clock.now();
    this.#timer = null;
    if (this.#standstill.isLate(nowMs)) return this.#wakeAt(nowMs + catchUpMs);
    this.#roster.expire(nowMs);
    this.#arm();
  }

  #watchSurroundings(): void {
    this.#lookingAround ??= this.#context.clock.schedule(lookAroundMs, () => this.#lookAround());
  }

  /** Where this machine is decides where its nodes are, and what leads to those of others. */
  #lookAround(): void {
    this.#lookingAround = null;
    this.#watchSurroundings();
    this.#dropOutdated();
    const isElsewhere = this.#surroundings.look();
    if (isElsewhere) {
      this.#seen = new WeakMap();
      for (const entry of this.#roster.list()) this.#show(entry);
    }
    this.#repeat([...this.#said].filter((publication) => isElsewhere || publication.isDue));
  }

  /** Whoever may write to the engine can keep the value of a dead node there, but not sign it anew. */
  #dropOutdated(): void {
    const wallMs = this.#context.clock.wall();
    for (const { key, record, stale } of [...this.#roster.list()]) {
      if (stale === null && isOutdated(record, wallMs)) this.#roster.remove(key, "unreachable");
    }
  }

  #repeat(publications: readonly Publication[]): void {
    const { log } = this.#context;
    for (const publication of publications) {
      publication.repeat(this.#closing).catch((error: unknown) => {
        log("debug", "what changed was not announced", { error });
      });
    }
  }

  *#reports(): Iterable<Report> {
    for (const publication of this.#said) yield this.#ownReport(publication);
    for (const entry of this.#roster.list()) {
      const report = this.#reportOf(entry);
      if (isReachable(report)) yield report;
    }
  }

  /** A node that nothing leads to from here is not listed, or not any more. */
  #show(entry: Entry): void {
    const report = this.#reportOf(entry);
    if (isReachable(report)) return this.#audience.tell(report);
    this.#refuse("address", entry.key);
    this.#audience.dismiss(entry.key, "unreachable");
  }

  #reportOf({ key, record, stale }: Entry): Report {
    return { key, node: this.#seenOf(record), origin: record.id, stale };
  }

  #ownReport({ key, node }: Publication): Report {
    const seen = seenNode(node, this.#pen.id, this.#surroundings.rankOwn(node));
    return { key, node: seen, origin: this.#pen.id, stale: null };
  }

  #seenOf(record: AliveRecord): SeenNode {
    const before = this.#seen.get(record);
    if (before) return before;
    const [node = nobody] = record.nodes;
    const seen = seenNode(node, record.id, this.#surroundings.rankOf(record));
    this.#seen.set(record, seen);
    return seen;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#publications.values()].map((one) => one[Symbol.asyncDispose]()));
    this.#closing.abort();
    this.#timer?.cancel();
    this.#lookingAround?.();
    await this.#connection[Symbol.asyncDispose]();
    await Promise.all([this.#following, this.#survey.end()]);
  }
}

function isReachable({ node }: Report): boolean {
  return node.addresses.length > 0;
}

/** Stands for the node of a record without one, which is never accepted. */
const nobody: Announced = { id: "", port: 1, info: "" };
