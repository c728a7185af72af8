import type { HealthContext, HealthMonitor, NodeInfo, RegistryChange } from "@lmserv/discovery-core";
import { healthAsker } from "./description.ts";
import type { AskHealth } from "./health-question.ts";
import { NodeCheck, type Pace } from "./node-check.ts";

/** Shortest interval of the checks of a node that answers, in ms. */
const leastIntervalMs = 5_000;
/** Checks a second, all nodes together, from 200 nodes on. */
const checksPerSecond = 40;
const silentIntervalMs = 1_000;
/** Part of an interval by which checks are spread, so that watchers do not fall into step. */
const spread = 0.1;
/** Checks under way at a time: a descriptor each. */
const maxAtOnce = 128;

/**
 * Checks listed nodes with GET requests that neither load a model nor generate, without a key.
 *
 * Each node every 5 s (more seldom from 200 nodes on), one question at a time; its lists every 30 s.
 */
export function httpHealth(): HealthMonitor {
  return { start: (context) => monitorWith(healthAsker(context.clock)).start(context) };
}

/** Checks listed nodes; how a server is asked is up to `ask`. */
export function monitorWith(ask: AskHealth): HealthMonitor {
  return { start: (context) => new Rounds(ask, context).start() };
}

/** Interval of the checks of one node among several, in ms. */
export function intervalMs(pace: Pace, nodes: number): number {
  if (pace === "at-once") return 0;
  return pace === "while-silent"
    ? silentIntervalMs
    : Math.max(leastIntervalMs, (nodes / checksPerSecond) * 1_000);
}

interface Round {
  check: NodeCheck;
  /** Ends the wait for the next check, or the check that is under way. */
  cancel: () => void;
}

/** One check at a time for each listed node, and a bounded number in all. */
class Rounds {
  readonly #ask: AskHealth;
  readonly #context: HealthContext;
  readonly #rounds = new Map<string, Round>();
  /** Ids whose check is due and waits for a place. */
  readonly #due = new Set<string>();
  #underWay = 0;

  constructor(ask: AskHealth, context: HealthContext) {
    this.#ask = ask;
    this.#context = context;
  }

  start(): () => void {
    const unfollow = this.#context.follow((change) => this.#follow(change));
    return () => {
      unfollow();
      for (const { cancel } of this.#rounds.values()) cancel();
      this.#rounds.clear();
      this.#due.clear();
    };
  }

  #follow({ kind, node }: RegistryChange): void {
    const round = this.#rounds.get(node.id);
    if (kind !== "down" && round?.check.follow(node)) return;
    round?.cancel();
    this.#rounds.delete(node.id);
    this.#due.delete(node.id);
    if (kind !== "down" && node.host !== "") this.#begin(node);
  }

  #begin(node: NodeInfo): void {
    this.#rounds.set(node.id, { check: new NodeCheck(node, this.#context.clock), cancel: () => {} });
    this.#enqueue(node.id);
  }

  #enqueue(id: string): void {
    this.#due.add(id);
    this.#next();
  }

  #next(): void {
    for (const id of this.#due) {
      if (this.#underWay >= maxAtOnce) return;
      this.#due.delete(id);
      const round = this.#rounds.get(id);
      if (round) this.#run(id, round);
    }
  }

  async #run(id: string, round: Round): Promise<void> {
    const ending = new AbortController();
    round.cancel = () => ending.abort();
    this.#underWay += 1;
    try {
      const outcome = await this.#ask(round.check.question(), ending.signal);
      if (this.#rounds.get(id) !== round) return;
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
      this.#next();
    }
  }

  #schedule(id: string, round: Round, pace: Pace): void {
    const { clock, random } = this.#context;
    const jitter = 1 + spread * (2 * random() - 1);
    const delayMs = intervalMs(pace, this.#rounds.size) * jitter;
    if (delayMs === 0) return this.#enqueue(id);
    round.cancel = clock.schedule(delayMs, () => this.#enqueue(id));
  }
}
