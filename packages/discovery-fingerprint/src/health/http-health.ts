import type { NodeInfo, RegistryChange, Trust } from "@lmserv/discovery-core";
import {
  assertOptions,
  formatEndpoint,
  functionShape,
  type HealthContext,
  type HealthMonitor,
  type OptionShapes,
} from "@lmserv/discovery-core/transport";
import { healthAsker } from "./description.ts";
import type { AskHealth } from "./health-question.ts";
import { type HealthTiming, usualTiming } from "./health-timing.ts";
import { type Checked, HostTurns } from "./host-turns.ts";
import { type Credentials, NodeCheck, type Pace } from "./node-check.ts";

/** Checks per second for all nodes together, from 200 nodes on. */
const checksPerSecond = 40;
/** Share of an interval by which checks spread, so that watchers do not synchronize. */
const spread = 0.1;
/** Bound on concurrent checks: each takes a descriptor. */
const maxAtOnce = 128;
/** Bound on those of silent nodes, which take 4 s of every 5: others keep their pace. */
const maxSilentAtOnce = maxAtOnce / 2;
/** Shortest wait for a turn of a host: each takes a timer. */
const leastWaitMs = 100;
const ranks: Readonly<Record<Trust, number>> = { signed: 2, announced: 1, identified: 0 };

export interface HttpHealthOptions extends Partial<HealthTiming> {
  /**
   * Time limit for all questions of a check, in ms, 1 to 60,000. @default 4_000: three SYNs, or a slow server
   */
  readonly timeoutMs?: number;
  /**
   * Key of a node that requires one, or null; sent as a bearer token to the endpoint of the node.
   *
   * @default none is sent
   */
  readonly keyOf?: (node: NodeInfo) => string | null;
  /**
   * Accepted certificates of nodes with TLS.
   *
   * `verified`: only trusted ones, as a forwarding client demands; a node with another one is silent. `any`:
   * all, but for nodes that are sent a key.
   *
   * @default "verified"
   */
  readonly certificates?: "verified" | "any";
  /** Authorities besides Node's own to trust for nodes with TLS, PEM. @default none */
  readonly ca?: string;
  /** Authorities of one node, in place of `ca`; null for none. @default `ca` for each */
  readonly caOf?: (node: NodeInfo) => string | null;
}

const shapes: OptionShapes<HttpHealthOptions> = {
  intervalMs: { type: "number", minimum: 1, maximum: 86_400_000 },
  silentIntervalMs: { type: "number", minimum: 1, maximum: 86_400_000 },
  listsIntervalMs: { type: "number", minimum: 1, maximum: 86_400_000 },
  timeoutMs: { type: "number", minimum: 1, maximum: 60_000 },
  keyOf: functionShape,
  certificates: { type: "string", enum: ["verified", "any"] },
  ca: { type: "string", minLength: 1 },
  caOf: functionShape,
};

/**
 * Checks listed nodes with GET requests that neither load a model nor generate.
 *
 * Each node is checked every 5 s (more seldom from 200 nodes on), one question at a time; its lists every 30
 * s. From the fifth silent node of a host on, those take turns, signed ones first.
 *
 * @throws {TypeError | RangeError} for a mistake in the options; the message names the value.
 */
export function httpHealth(options: HttpHealthOptions = {}): HealthMonitor {
  assertOptions("httpHealth", options, shapes);
  const { timeoutMs, certificates = "verified", ...rest } = options;
  const asking = {
    verifies: certificates === "verified",
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  return { start: (context) => monitorWith(healthAsker(context.clock, asking), rest).start(context) };
}

/** Decisions for each node: time of the check, key and trusted authorities. */
export type MonitorOptions = Omit<HttpHealthOptions, "timeoutMs" | "certificates">;

/** Checks listed nodes; `ask` decides how a server is asked. */
export function monitorWith(ask: AskHealth, options: MonitorOptions = {}): HealthMonitor {
  return { start: (context) => new Rounds(ask, context, options).start() };
}

/** Interval of the checks of one node among several, in ms. */
export function intervalMs(pace: Pace, nodes: number, timing: HealthTiming = usualTiming): number {
  if (pace === "at-once") return 0;
  return pace === "while-silent"
    ? timing.silentIntervalMs
    : Math.max(timing.intervalMs, (nodes / checksPerSecond) * 1_000);
}

function rankOf({ sources }: NodeInfo): number {
  return Math.max(0, ...sources.map(({ trust }) => ranks[trust]));
}

interface Round extends Checked {
  readonly check: NodeCheck;
  /** Rank of its best-trusted source. */
  rank: number;
  /** Ends the wait for the next check, or the running check. */
  cancel: () => void;
}

/** Nodes of one host that wait for their turn. */
interface Queue {
  readonly ids: Set<string>;
  cancel: () => void;
}

/** Runs one check at a time for each listed node, and a bounded number in all. */
class Rounds {
  readonly #ask: AskHealth;
  readonly #context: HealthContext;
  readonly #credentials: Credentials;
  readonly #timing: HealthTiming;
  readonly #rounds = new Map<string, Round>();
  /** Ids with a due check that waits for a place. */
  readonly #due = new Set<string>();
  readonly #turns = new HostTurns();
  /** By host. */
  readonly #queues = new Map<string, Queue>();
  #underWay = 0;
  #silentUnderWay = 0;

  constructor(
    ask: AskHealth,
    context: HealthContext,
    { ca, keyOf = () => null, caOf = () => ca ?? null, ...timing }: MonitorOptions,
  ) {
    this.#ask = ask;
    this.#context = context;
    this.#credentials = { keyOf, caOf };
    this.#timing = { ...usualTiming, ...timing };
  }

  start(): () => void {
    const unfollow = this.#context.follow((change) => this.#follow(change));
    return () => {
      unfollow();
      for (const { cancel } of [...this.#rounds.values(), ...this.#queues.values()]) cancel();
      this.#queues.clear();
      this.#rounds.clear();
      this.#due.clear();
    };
  }

  #follow({ kind, node }: RegistryChange): void {
    const round = this.#rounds.get(node.id);
    if (kind !== "down" && round?.check.follow(node)) {
      round.rank = rankOf(node);
      return;
    }
    if (round) this.#end(round);
    this.#due.delete(node.id);
    if (kind !== "down" && node.host !== "") this.#begin(node);
  }

  #begin(node: NodeInfo): void {
    const { id, host, port } = node;
    const check = new NodeCheck(node, this.#context.clock, this.#timing, this.#credentials);
    const endpoint = formatEndpoint(host, port);
    const round = { id, host, endpoint, check, rank: rankOf(node), cancel: () => {} };
    this.#rounds.set(id, round);
    this.#turns.enter(round);
    this.#enqueue(id);
  }

  #end(round: Round): void {
    const { id, host, cancel } = round;
    cancel();
    this.#rounds.delete(id);
    this.#turns.leave(round);
    this.#queues.get(host)?.ids.delete(id);
  }

  #enqueue(id: string): void {
    this.#due.add(id);
    this.#next();
  }

  #next(): void {
    for (const id of this.#due) {
      if (this.#underWay >= maxAtOnce) return;
      const round = this.#rounds.get(id);
      if (round?.check.isSilent && this.#silentUnderWay >= maxSilentAtOnce) continue;
      this.#due.delete(id);
      if (!round) continue;
      if (this.#turns.take(round, this.#context.clock.now())) this.#run(id, round);
      else this.#wait(round);
    }
  }

  /** Puts a node off until its host has room. */
  #wait({ id, host }: Round): void {
    const known = this.#queues.get(host);
    const queue = known ?? { ids: new Set(), cancel: () => {} };
    queue.ids.add(id);
    if (known) return;
    this.#queues.set(host, queue);
    this.#arm(host, queue);
  }

  #arm(host: string, queue: Queue): void {
    const { clock } = this.#context;
    const nowMs = clock.now();
    const delayMs = Math.max(leastWaitMs, this.#turns.dueMs(host, nowMs) - nowMs);
    queue.cancel();
    queue.cancel = clock.schedule(delayMs, () => this.#admit(host));
  }

  /** Admits the best-trusted node of a host, of several the first to arrive. */
  #admit(host: string): void {
    const queue = this.#queues.get(host);
    if (!queue) return;
    const waiting = [...queue.ids].flatMap((id) => this.#rounds.get(id) ?? []);
    const [next] = waiting.sort((a, b) => b.rank - a.rank);
    if (next) {
      queue.ids.delete(next.id);
      this.#enqueue(next.id);
    }
    if (queue.ids.size > 0) return this.#arm(host, queue);
    queue.cancel();
    this.#queues.delete(host);
  }

  async #run(id: string, round: Round): Promise<void> {
    const ending = new AbortController();
    round.cancel = () => ending.abort();
    const silent = Number(round.check.isSilent);
    this.#underWay += 1;
    this.#silentUnderWay += silent;
    try {
      const outcome = await this.#ask(round.check.question(), ending.signal);
      if (this.#rounds.get(id) !== round) return;
      if (outcome.kind === "answer" && this.#turns.answered(round, this.#context.clock.now()))
        this.#admit(round.host);
      const { report, doubts, pace } = round.check.conclude(outcome);
      if (report) this.#context.report(id, report);
      if (doubts) this.#context.reconfirm(id);
      if (this.#rounds.get(id) === round) this.#schedule(id, round, pace);
    } catch (error) {
      if (ending.signal.aborted) return;
      this.#context.log("warn", "a health check failed by itself", { error });
      if (this.#rounds.get(id) === round) this.#schedule(id, round, "usual");
    } finally {
      this.#underWay -= 1;
      this.#silentUnderWay -= silent;
      this.#next();
    }
  }

  #schedule(id: string, round: Round, pace: Pace): void {
    const { clock, random } = this.#context;
    const jitter = 1 + spread * (2 * random() - 1);
    const delayMs = intervalMs(pace, this.#rounds.size, this.#timing) * jitter;
    if (delayMs === 0) return this.#enqueue(id);
    round.cancel = clock.schedule(delayMs, () => this.#enqueue(id));
  }
}
