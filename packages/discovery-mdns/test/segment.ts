import type { NetworkInterfaceInfo } from "node:os";
import {
  type Observation,
  silentLog,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { type ListedInterfaces, type System, systemOf } from "@lmserv/discovery-network";
import { seededRandom, type VirtualClock } from "@lmserv/discovery-testkit";
import dnsPacket, { type Packet, type Question, type RecordType } from "dns-packet";
import { addressesOf, type Family, families, familyOf, type LinkInterface } from "../src/link/interfaces.ts";
import type { Machine } from "../src/link/link.ts";
import { type LinkEvents, mdnsGroups, mdnsPort, type SocketAddress } from "../src/link/link.ts";
import { type MdnsOptions, mdnsOn } from "../src/transport.ts";

const groups: readonly string[] = Object.values(mdnsGroups);

/** Travel time of a packet in ms: a binary fraction, so that sums of times are exact. */
export const transitMs = 0.125;

/** Packet on the wire, decoded by a foreign codec. */
export interface Heard {
  readonly atMs: number;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
  readonly packet: Packet;
}

/** Machine with one interface on a segment; its interfaces may change. */
export interface VirtualMachine extends Machine {
  interfaces: () => ListedInterfaces;
}

interface Member {
  readonly machine: Machine | null;
  readonly addresses: readonly string[];
  readonly events: Pick<LinkEvents, "packet" | "died">;
}

/** Link that carries packets in virtual time; every member hears every multicast, its own included. */
export class Segment {
  readonly heard: Heard[] = [];
  readonly #clock: VirtualClock;
  readonly #members = new Set<Member>();
  /** Machines whose cable is pulled. */
  readonly #unplugged = new Set<Machine>();
  /** True if no other program has port 5353, on every machine. */
  exclusive = false;
  /** Families whose port 5353 another program holds, on every machine. */
  readonly held = new Set<Family>();
  /** Returns true for packets that get lost. */
  loses: (heard: Heard) => boolean = () => false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /**
   * Machine with one interface on this segment; with `ipv6`, a link-local address, it speaks both families.
   */
  machine(address: string, { prefix = 24, name = "eth0", ipv6 = "" } = {}): VirtualMachine {
    const infos = [infoOf(address, prefix), ...(ipv6 === "" ? [] : [infoOf(ipv6, 64)])];
    const machine: VirtualMachine = {
      hostname: () => `host-${address}`,
      interfaces: () => ({ [name]: infos }),
      system() {
        return numbered(systemOf(this.interfaces()), 2);
      },
      openLink: async (on, events) => {
        const own = sendersOf(on);
        const present = [...own.keys()];
        const open = new Set(present.filter((family) => !this.held.has(family)));
        const missing = (): Family[] => present.filter((family) => !open.has(family));
        const hamper = (): void => {
          for (const family of missing()) events.degraded(family, inUse(family));
        };
        if (open.size === 0) throw inUse("IPv4");
        hamper();
        const addresses = on.addresses.map((one) => scoped(one, on));
        const packet = (bytes: Uint8Array, from: SocketAddress): void => {
          if (open.has(familyOf(from.address))) events.packet(bytes, from);
        };
        const member: Member = { machine, addresses, events: { packet, died: events.died } };
        this.#members.add(member);
        const carry = (bytes: Uint8Array, to: SocketAddress): void => {
          const address = own.get(familyOf(to.address));
          if (address === undefined || this.#unplugged.has(machine)) return;
          this.#carry(bytes, { address, port: mdnsPort }, to);
        };
        return {
          interface: on,
          get families() {
            return present.filter((family) => open.has(family));
          },
          get missing() {
            return missing();
          },
          reopen: async () => {
            const reopened = missing().filter((family) => !this.held.has(family));
            for (const family of reopened) open.add(family);
            hamper();
            return reopened;
          },
          multicast: (bytes, family) => carry(bytes, { address: mdnsGroups[family], port: mdnsPort }),
          send: carry,
          invite: async () => this.exclusive,
          keepOut: () => {},
          close: async () => {
            this.#members.delete(member);
          },
        };
      },
    };
    return machine;
  }

  unplug(machine: Machine): void {
    this.#unplugged.add(machine);
  }

  plug(machine: Machine): void {
    this.#unplugged.delete(machine);
  }

  /** Closes every socket and refuses new ones. */
  fail(): void {
    for (const family of families) this.held.add(family);
    for (const { events } of [...this.#members]) events.died(new Error("read ENOMEM"));
  }

  /** Hears all multicast, as a host without the code under test. */
  listen(hear: (packet: Packet) => void): () => void {
    const events = { packet: (bytes: Uint8Array) => hear(read(bytes)), died: () => {} };
    const member: Member = { machine: null, addresses: [], events };
    this.#members.add(member);
    return () => this.#members.delete(member);
  }

  /** Sends a packet as a foreign host, to the group by default. */
  inject(packet: Packet | Uint8Array, address: string, port: number = mdnsPort, to = groupOf(address)): void {
    const bytes = packet instanceof Uint8Array ? packet : dnsPacket.encode(packet);
    this.#carry(bytes, { address, port }, to);
  }

  #carry(bytes: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    const heard: Heard = { atMs: this.#clock.now(), from, to, bytes, packet: read(bytes) };
    this.heard.push(heard);
    if (this.loses(heard)) return;
    this.#clock.schedule(transitMs, () => {
      for (const { machine, addresses, events } of [...this.#members]) {
        if (machine && this.#unplugged.has(machine)) continue;
        if (groups.includes(to.address) || addresses.includes(to.address)) events.packet(bytes, from);
      }
    });
  }
}

export function joined(...machines: readonly Machine[]): Machine {
  const owner = (name: string): Machine | undefined =>
    machines.find((machine) => machine.system().interfaces.some((one) => one.name === name));
  return {
    hostname: () => "joined",
    system: () => ({
      interfaces: machines.flatMap((machine, index) => numbered(machine.system(), index + 1).interfaces),
    }),
    openLink: (on, events, clock) =>
      owner(on.name)?.openLink(on, events, clock) ?? Promise.reject(new Error(`${on.name} is on no segment`)),
  };
}

function numbered({ interfaces }: System, index: number): System {
  return { interfaces: interfaces.map((one) => ({ ...one, index })) };
}

/** System's entry for an address of an interface. */
export function infoOf(address: string, prefix: number): NetworkInterfaceInfo {
  const info = { address, cidr: `${address}/${prefix}`, mac: "02:00:00:00:00:01" };
  const internal = address.startsWith("127.");
  if (familyOf(address) === "IPv4") return { ...info, internal, netmask: "255.255.255.0", family: "IPv4" };
  return { ...info, internal, netmask: "ffff:ffff:ffff:ffff::", family: "IPv6", scopeid: 2 };
}

function sendersOf(on: LinkInterface): ReadonlyMap<Family, string> {
  const found = families.flatMap((family) => {
    const [address] = addressesOf(on, family);
    return address === undefined ? [] : [[family, scoped({ address, family }, on)] as const];
  });
  return new Map(found);
}

function scoped({ address, family }: { address: string; family: Family }, { name }: LinkInterface): string {
  return family === "IPv6" ? `${address}%${name}` : address;
}

/** Error of Linux for a port that another program holds exclusively. */
function inUse(family: Family): Error {
  const message = `bind EADDRINUSE ${mdnsGroups[family]}:${mdnsPort}`;
  return Object.assign(new Error(message), { code: "EADDRINUSE", syscall: "bind" });
}

/** Destination of multicast from an address. */
function groupOf(address: string): SocketAddress {
  return { address: mdnsGroups[familyOf(address)], port: mdnsPort };
}

function read(bytes: Uint8Array): Packet {
  try {
    return dnsPacket.decode(Buffer.from(bytes));
  } catch {
    return {};
  }
}

/** Question for all types of a name; the declarations of dns-packet lack the type. */
export function anyOf(name: string): Question {
  return { name, type: "ANY" as RecordType };
}

export interface OpenEndpoint {
  readonly session: TransportSession;
  readonly reports: readonly { readonly code: string; readonly message: string }[];
}

export async function openEndpoint(
  machine: Machine,
  clock: VirtualClock,
  random = seededRandom(1),
  options: MdnsOptions = {},
): Promise<OpenEndpoint> {
  const reports: { code: string; message: string }[] = [];
  const context: TransportContext = {
    clock,
    random,
    log: silentLog,
    nodes: { listAlive: () => [] },
    report: ({ code, message }) => reports.push({ code, message }),
  };
  const session = await mdnsOn(machine, options).open(context, new AbortController());
  return { session, reports };
}

/** Collects the reports of a browse, with their times. */
export function collect(
  session: TransportSession,
  clock: VirtualClock,
  ttlMs = 60_000,
): { readonly seen: (Observation & { atMs: number })[]; readonly stop: () => void } {
  const stopping = new AbortController();
  const seen: (Observation & { atMs: number })[] = [];
  const run = async (): Promise<void> => {
    for await (const observation of session.browse({ ttlMs }, stopping)) {
      seen.push({ ...observation, atMs: clock.now() });
    }
  };
  run().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return { seen, stop: () => stopping.abort() };
}
