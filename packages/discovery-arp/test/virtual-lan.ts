import { isIPv6, onAbort, silentLog, type TransportContext } from "@lmserv/discovery-core/transport";
import type { Fingerprint, FingerprintOptions, Identification, NoReply } from "@lmserv/discovery-fingerprint";
import { type ListedInterfaces, systemOf } from "@lmserv/discovery-network";
import { seededRandom, type VirtualClock } from "@lmserv/discovery-testkit";
import { parseProcNetArp } from "../src/neighbors/formats.ts";
import type { Neighbor } from "../src/neighbors/neighbor.ts";
import { NeighborTable } from "../src/neighbors/table.ts";
import type { Platform } from "../src/platform.ts";
import type { Target } from "../src/sweep/plan.ts";
import type { TableLoad } from "../src/sweep/table-capacity.ts";
import { info } from "./lan.ts";

/** Duration of an answer in ms. */
const answerMs = 1;
/** Limits of a look for the connection and for all answers, in ms: of a first and of a patient one. */
const patience = { first: { connectMs: 400, totalMs: 1_500 }, second: { connectMs: 1_500, totalMs: 4_000 } };
/** Time for which the kernel asks for an address, in ms. */
const resolutionMs = 3_000;

const header = "IP address       HW type     Flags       HW address            Mask     Device\n";

export interface VirtualHost {
  readonly mac: string;
  /** Servers by port, as a look identifies them; empty for a host without servers. */
  readonly servers: Map<number, Identification | readonly Identification[]>;
  /** True if it answers; the neighbor table does not notice when it stops. */
  up: boolean;
  /** Duration of a look at its servers in ms; Infinity while they are busy. */
  answerMs: number;
}

export interface Look {
  readonly atMs: number;
  readonly host: string;
  readonly port: number;
  readonly patient: boolean;
}

export function identification(port: number, rest: Partial<Identification> = {}): Identification {
  return {
    port,
    scheme: "http",
    id: null,
    info: "",
    server: "lmserv",
    version: null,
    path: "/chat",
    apis: [],
    models: [],
    modelsCut: false,
    auth: null,
    document: false,
    ...rest,
  };
}

/** Hosts on one link, in virtual time, seen through the neighbor table of one of them. */
export class VirtualLan {
  readonly hosts: Map<string, VirtualHost> = new Map();
  readonly looks: Look[] = [];
  /** Time and address of each ARP trigger, in order. */
  readonly arpTriggers: { readonly atMs: number; readonly address: string }[] = [];
  /**
   * Addresses with a table entry, and the time from which it is valid; Infinity for those that never will be.
   */
  readonly entries: Map<string, number> = new Map();
  readonly #clock: VirtualClock;
  /** IPv6 entries of the table; addresses without zones. */
  readonly neighborsOverIPv6: Neighbor[] = [];
  interfaces: ListedInterfaces = { eth0: [info("10.0.0.1/16")] };
  load: TableLoad | null = { entries: 0, softLimit: 512, hardLimit: 1_024, clearings: 0, refusals: 0 };
  /** Text in place of the true table. */
  forged: string | null = null;
  failure: Error | null = null;
  /** Count of coming reads that fail. */
  failures = 0;
  triggerFailure: NodeJS.ErrnoException | null = null;
  /** Result of a look at a port without a server. */
  withoutServer: NoReply = "refused";
  /** True if the kernel clears its table at every new entry. */
  isPressed = false;
  mostUnresolved = 0;
  mostEntries = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Adds a host; a `known` one has an entry in the table. */
  add(address: string, { known = true, mac = macOf(address) } = {}): VirtualHost {
    const host: VirtualHost = { mac, servers: new Map(), up: true, answerMs };
    this.hosts.set(address, host);
    if (known) this.entries.set(address, this.#clock.now());
    return host;
  }

  /** Gives a host a link-local address at which it answers as well. */
  addOverIPv6(address: string, host: VirtualHost): void {
    this.hosts.set(`${address}%eth0`, host);
    this.neighborsOverIPv6.push({ address, mac: host.mac, link: "eth0" });
  }

  machine(): Platform {
    return {
      system: () => systemOf(this.interfaces),
      openTable: () =>
        new NeighborTable({
          readers: [{ name: "the virtual table", read: async () => this.#readTable() }],
          ipv6: { name: "its IPv6 side", read: async () => this.neighborsOverIPv6 },
          loadArpA: () => null,
        }),
      tableLoad: async () => this.load && { ...this.load, entries: this.load.entries + this.entries.size },
      triggerArp: async (targets) => this.#triggerArp(targets),
      fingerprint: (options) => this.#look(options),
    };
  }

  context(rest: Partial<TransportContext> = {}): TransportContext {
    return {
      clock: this.#clock,
      random: seededRandom(7),
      log: silentLog,
      nodes: { listAlive: () => [] },
      report: () => {},
      ...rest,
    };
  }

  tableText(): string {
    const rows = [...this.entries].map(([address, sinceMs]) => {
      const holds = sinceMs <= this.#clock.now();
      const mac = holds ? this.hosts.get(address)?.mac : "00:00:00:00:00:00";
      return `${address}  0x1  ${holds ? "0x2" : "0x0"}  ${mac}  *  eth0\n`;
    });
    return header + rows.join("");
  }

  #readTable() {
    if (this.failure) throw this.failure;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("not now");
    }
    return parseProcNetArp(this.forged ?? this.tableText());
  }

  #triggerArp(targets: readonly Target[]) {
    if (this.triggerFailure) return { sent: 0, failure: this.triggerFailure };
    const atMs = this.#clock.now();
    if (this.isPressed && this.load) this.load = { ...this.load, clearings: this.load.clearings + 1 };
    for (const { address } of targets) {
      this.arpTriggers.push({ atMs, address });
      const isThere = this.hosts.get(address)?.up ?? false;
      this.entries.set(address, isThere ? atMs + answerMs : Number.POSITIVE_INFINITY);
    }
    const unresolved = this.arpTriggers.filter(
      (sent) => atMs - sent.atMs < resolutionMs && !this.hosts.get(sent.address)?.up,
    );
    this.mostUnresolved = Math.max(this.mostUnresolved, unresolved.length);
    this.mostEntries = Math.max(this.mostEntries, this.entries.size);
    return { sent: targets.length, failure: null };
  }

  #look({ host, port, patient = false, signal }: FingerprintOptions): Promise<Fingerprint> {
    this.looks.push({ atMs: this.#clock.now(), host, port, patient });
    return new Promise((resolve, reject) => {
      if (this.hosts.get(host)?.up && !isIPv6(host)) this.entries.set(host, this.#clock.now());
      const { afterMs, isInTime } = this.#delayOf(host, port, patient);
      const cancel = this.#clock.schedule(afterMs, () => {
        ignore();
        resolve(this.#resultOf(host, port, isInTime));
      });
      const ignore = onAbort(signal, () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  /** Duration of a look, and whether it ends before its limit. */
  #delayOf(host: string, port: number, patient: boolean): { afterMs: number; isInTime: boolean } {
    const { connectMs, totalMs } = patient ? patience.second : patience.first;
    const found = this.hosts.get(host);
    if (!found?.up) return { afterMs: connectMs, isInTime: false };
    if (!found.servers.has(port)) return { afterMs: answerMs, isInTime: true };
    return { afterMs: Math.min(found.answerMs, totalMs), isInTime: found.answerMs <= totalMs };
  }

  #resultOf(host: string, port: number, isInTime: boolean): Fingerprint {
    const found = this.hosts.get(host);
    if (!found?.up) return { kind: "silent", why: "no-connection" };
    const servers = found.servers.get(port);
    if (!servers) return { kind: "silent", why: this.withoutServer };
    if (!isInTime) return { kind: "silent", why: "no-answer" };
    const all = [servers].flat();
    const identification = all.find((one) => one.port === port);
    const others = all.filter((one) => one !== identification);
    if (identification) return { kind: "server", identification, others };
    return { kind: "document", role: null, others };
  }
}

function macOf(address: string): string {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return `02:00:${bytes.join(":")}`;
}
