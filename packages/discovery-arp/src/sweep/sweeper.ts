import { DiscoveryError } from "@lmserv/discovery-core";
import type { TransportContext } from "@lmserv/discovery-core/transport";
import { listLinks } from "../links.ts";
import { type Neighbor, proxiesAmong } from "../neighbors/neighbor.ts";
import type { Platform } from "../platform.ts";
import type { Settings } from "../settings.ts";
import type { Pace } from "./pace.ts";
import { planSweep, type SweepPlan } from "./plan.ts";
import { type SweepOptions, type SweepOutcome, sweep } from "./sweep.ts";

/** Factor of the wait after a halted sweep. */
const backOffFactor = 6;

export interface SweepTable {
  readonly read: (signal: AbortSignal) => Promise<readonly Neighbor[]>;
  readonly onAnswer: SweepOptions["onAnswer"];
}

/** Sweeps the subnets of this machine at intervals. */
export class Sweeper {
  readonly #context: TransportContext;
  readonly #settings: Settings;
  readonly #machine: Platform;
  readonly #reported = new Set<string>();
  #nextMs: number;
  #pace: Pace;

  constructor(context: TransportContext, settings: Settings, machine: Platform) {
    this.#context = context;
    this.#settings = settings;
    this.#machine = machine;
    this.#nextMs = settings.sweep ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    this.#pace = settings.firstPace;
  }

  get isDue(): boolean {
    return this.#context.clock.now() >= this.#nextMs;
  }

  /** Asks for every planned address that the table lacks; rejects when `signal` aborts. */
  async run(table: SweepTable, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#context;
    const { sweepEveryMs } = this.#settings;
    // Varied by a fifth, so that machines that start together drift apart.
    const restMs = sweepEveryMs * (0.8 + 0.4 * random());
    this.#nextMs = clock.now() + restMs;
    const plan = planOf(this.#settings, this.#machine);
    this.#announce(plan);
    const known = new Set((await table.read(signal)).map(({ address }) => address));
    const outcome = await sweep({
      targets: plan.targets.filter(({ address }) => !known.has(address)),
      pace: this.#pace,
      clock,
      signal,
      triggerArp: this.#machine.triggerArp,
      tableLoad: this.#machine.tableLoad,
      readTable: table.read,
      onAnswer: (fresh, all) => {
        this.#tellOfProxies(all);
        table.onAnswer(fresh, all);
      },
      onProgress: this.#settings.onProgress,
    });
    this.#pace = "gentle";
    if (outcome.halt !== null) this.#nextMs = clock.now() + restMs * backOffFactor;
    this.#explain(outcome);
  }

  /** Logs one line before the first packet, and warns of omissions that a user would not expect. */
  #announce({ targets, ranges, omissions }: SweepPlan): void {
    const where = ranges
      .map(({ link, subnet, count }) => `${count} addresses of ${subnet} on ${link}`)
      .join(", ");
    const pace = this.#pace === "prompt" ? "as fast as the neighbour table allows" : "80 a second";
    if (targets.length > 0) this.#context.log("info", `asking ${where} by ARP, ${pace}`);
    for (const { what, reason, surprising } of omissions) {
      if (surprising) this.#warn(`${what} is not swept: ${reason}`);
      else this.#context.log("debug", `${what} is not swept: ${reason}`);
    }
    if (targets.length === 0 && !omissions.some(({ surprising }) => surprising)) {
      this.#warn(
        `nothing is swept: ${omissions.map(({ what, reason }) => `${what}: ${reason}`).join("; ") || "no interface has a subnet"}`,
      );
    }
  }

  #explain({ halt, asked, answered, addresses, failure }: SweepOutcome): void {
    this.#context.log("info", `${answered} of ${asked} addresses answered by ARP`);
    if (halt === "full") {
      this.#warn(
        `${addresses - asked} of ${addresses} addresses were not asked: the system's table of neighbours stayed full`,
      );
    }
    if (halt === "crowded") {
      this.#warn(
        `${answered} of ${asked} addresses answered, as where a router or a cloud answers for all: the sweep was called off`,
      );
    }
    if (failure) {
      const message = `some addresses could not be asked by ARP: ${failure.message}`;
      this.#report(new DiscoveryError("SEND_FAILED", message, { via: this.#settings.via, cause: failure }));
    }
  }

  #tellOfProxies(neighbors: readonly Neighbor[]): void {
    if (proxiesAmong(neighbors).size === 0) return;
    this.#warn(
      "one host answers for many addresses in place of others (proxy ARP): it is not asked in their place",
    );
  }

  #warn(message: string): void {
    this.#report(new DiscoveryError("arp/sweep-limited", message, { via: this.#settings.via }));
  }

  /** Warns once, not at every sweep; bounded, because messages name addresses, which may change. */
  #report(error: DiscoveryError): void {
    if (this.#reported.has(error.message) || this.#reported.size > 100) return;
    this.#reported.add(error.message);
    this.#context.report(error);
  }
}

export function planOf({ interfaces, subnets, exclude }: Settings, machine: Platform): SweepPlan {
  const links = listLinks(machine.system());
  return planSweep({ links, wanted: interfaces, subnets, exclude });
}
