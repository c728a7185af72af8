import { type Clock, linkedAbort, sleep } from "@lmserv/discovery-core/transport";
import { encodeData } from "../dns/encode.ts";
import { nameKey } from "../dns/name.ts";
import { type Message, query, type ResourceRecord, recordKey, recordTypes, typeCode } from "../dns/record.ts";
import { renamed, type Service } from "../service.ts";
import type { Said } from "./said.ts";
import { claimedRecords } from "./service-records.ts";

/** RFC 6762 section 8.1. */
const probes = 3;
const probeIntervalMs = 250;
/** Wait after losing a tie for a name with simultaneous probes, in ms (section 8.2). */
const tieWaitMs = 1_000;
/** After this many conflicts within this time, every further attempt waits (section 8.1). */
const conflictLimit = { count: 15, withinMs: 10_000, waitMs: 5_000 };

type Objection = "none" | "tie" | "conflict";

/** Claim of a name, until its last probe was answered or was not. */
interface Claim {
  readonly service: Service;
  readonly objected: AbortController;
  objection: Objection;
}

/** Finds an instance name that no other host uses. */
export class Prober {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #ask: (probe: Message) => Promise<unknown>;
  readonly #conflictsMs: number[] = [];
  /** True while every further attempt waits, until one succeeds. */
  #isStorm = false;
  #claim: Claim | null = null;

  /** @param ask - Sends a probe on every link and resolves when it was sent, the start of the interval. */
  constructor(clock: Clock, random: () => number, ask: (probe: Message) => Promise<unknown>) {
    this.#clock = clock;
    this.#random = random;
    this.#ask = ask;
  }

  /** Probes until a name is free and resolves with the service under that name. */
  async settle(service: Service, signal: AbortSignal): Promise<Service> {
    for (let candidate = service; ; ) {
      const objection = await this.#probe(candidate, signal);
      if (objection === "none") {
        this.#isStorm = false;
        return candidate;
      }
      if (objection === "tie") await sleep(this.#clock, tieWaitMs, signal);
      else {
        candidate = renamed(candidate);
        await this.#coolDown(signal);
      }
    }
  }

  /** Takes a packet of any link; ignored unless a name is being claimed. */
  hear(message: Message): void {
    const claim = this.#claim;
    if (claim?.objection !== "none") return;
    const { service, objected } = claim;
    claim.objection = message.response ? conflictIn(message, service) : tieIn(message, service);
    if (claim.objection !== "none") objected.abort();
  }

  async #probe(service: Service, signal: AbortSignal): Promise<Objection> {
    await sleep(this.#clock, this.#random() * probeIntervalMs, signal);
    // Packets from before the first probe do not count.
    const claim: Claim = { service, objected: linkedAbort(signal), objection: "none" };
    const { signal: ended } = claim.objected;
    this.#claim = claim;
    try {
      for (let sent = 0; sent < probes && !ended.aborted; sent += 1) {
        await this.#ask(probeOf(service));
        await sleep(this.#clock, probeIntervalMs, ended).catch(() => {});
      }
      signal.throwIfAborted();
      return claim.objection;
    } finally {
      this.#claim = null;
      claim.objected.abort();
    }
  }

  async #coolDown(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    this.#conflictsMs.push(nowMs);
    if (this.#conflictsMs.length > conflictLimit.count) this.#conflictsMs.shift();
    const [oldestMs = nowMs] = this.#conflictsMs;
    this.#isStorm ||=
      this.#conflictsMs.length === conflictLimit.count && nowMs - oldestMs <= conflictLimit.withinMs;
    if (this.#isStorm) await sleep(this.#clock, conflictLimit.waitMs, signal);
  }
}

/**
 * True if records contradict the service's records of its instance (RFC 6762 section 9).
 *
 * @param said - Earlier records of this process, which may come back.
 */
export function contradicts(
  records: readonly ResourceRecord[],
  service: Service,
  said: Said | null = null,
): boolean {
  const about = records.filter(({ name, ttlS }) => ttlS > 0 && nameKey(name) === nameKey(service.instance));
  if (about.length === 0) return false;
  const claimed = new Map(claimedRecords(service).map((record) => [record.type, recordKey(record)]));
  return about.some((record) => {
    const own = claimed.get(record.type);
    return own !== undefined && own !== recordKey(record) && !said?.has(record);
  });
}

function probeOf(service: Service): Message {
  return query({
    questions: [{ name: service.instance, type: recordTypes.ANY, unicast: true }],
    authorities: claimedRecords(service),
  });
}

function conflictIn({ answers, additionals }: Message, service: Service): Objection {
  return contradicts([...answers, ...additionals], service) ? "conflict" : "none";
}

/** The side with the later records, in the order of type and data, wins the tie (RFC 6762 section 8.2). */
function tieIn({ authorities }: Message, service: Service): Objection {
  const theirs = authorities.filter((record) => nameKey(record.name) === nameKey(service.instance));
  if (theirs.length === 0) return "none";
  return compareSets(claimedRecords(service), theirs) < 0 ? "tie" : "none";
}

function compareSets(ours: readonly ResourceRecord[], theirs: readonly ResourceRecord[]): number {
  const [left, right] = [ours.map(tieBytes).sort(Buffer.compare), theirs.map(tieBytes).sort(Buffer.compare)];
  for (const [index, bytes] of left.entries()) {
    const other = right[index];
    if (!other) return 1;
    const order = Buffer.compare(bytes, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function tieBytes(record: ResourceRecord): Buffer {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(typeCode(record));
  return Buffer.concat([type, encodeData(record)]);
}
