import {
  assertOptions,
  type Clock,
  functionShape,
  nameShape,
  type Transport,
} from "@lmserv/discovery-core/transport";
import { defaultPorts } from "@lmserv/discovery-fingerprint";
import { configurable } from "./configurable.ts";
import { diagnose } from "./diagnosis.ts";
import { parseSubnet, type Subnet } from "./ipv4.ts";
import { findNeighbors } from "./neighbors/nearby.ts";
import { type Platform, thisPlatform } from "./platform.ts";
import { ArpSession } from "./session.ts";
import type { Settings } from "./settings.ts";
import { type Pace, sweepMs } from "./sweep/pace.ts";
import type { SweepProgress } from "./sweep/sweep.ts";
import { planOf } from "./sweep/sweeper.ts";

export interface ArpOptions {
  /**
   * Asks every address of this machine's own private subnets, instead of known neighbors only.
   *
   * @default false
   */
  readonly sweep?: boolean;
  /**
   * Interfaces to use, by name or address. A named one may be public, or lead to containers.
   *
   * @default every one that leads to a private LAN
   */
  readonly interfaces?: readonly string[];
  /** Ports to ask on every host, each 1..65535, at most 64. @default those of the known LLM servers */
  readonly ports?: readonly number[];
  /**
   * Only ranges to sweep, such as `192.168.20.0/24`; 1,024 addresses together at most. @default every subnet
   */
  readonly subnets?: readonly string[];
  /** IPv4 addresses and ranges that are never asked. @default none */
  readonly exclude?: readonly string[];
  /**
   * Pace of the first sweep: `prompt` is as fast as the kernel's neighbor table has room, `gentle` is 80
   * addresses a second.
   *
   * @default "gentle"
   */
  readonly pace?: Pace;
  /** Wait between two sweeps in ms, 300_000..86_400_000. @default 600_000 */
  readonly sweepEveryMs?: number;
  /** Bound on listed servers, 1..100_000. @default 1_024 */
  readonly maxNodes?: number;
  /** Receives the progress of a sweep. */
  readonly onProgress?: (progress: SweepProgress) => void;
  /** Name in a composition. @default "arp" */
  readonly name?: string;
}

export interface ArpTransport extends Transport {
  /** Estimated duration of the first pass over the neighbors, in ms. */
  readonly firstPassMs: () => number;
  /**
   * Addresses of the known hosts on the links in use, with their zones, after a sweep if that is chosen.
   * Empty if the table cannot be read.
   *
   * @throws `signal.reason` when aborted.
   */
  readonly neighbors: (clock: Clock, signal: AbortSignal) => Promise<readonly string[]>;
}

/** Duration of a first and a patient look at the last host, in ms. */
const looksMs = 1_500 + 4_000;

/**
 * Finds LLM servers without multicast: asks the hosts in this machine's neighbor table over HTTP.
 *
 * It cannot announce.
 *
 * @throws {TypeError | RangeError} for options of a wrong type or out of range.
 */
export function arp(options: ArpOptions = {}): ArpTransport {
  return arpOn(thisPlatform, options);
}

/** The transport on any machine, such as one that a test makes. */
export function arpOn(machine: Platform, options: ArpOptions = {}): ArpTransport {
  const settings = settingsOf(options);
  return {
    name: settings.via,
    firstPassMs() {
      const count = settings.sweep ? planOf(settings, machine).targets.length : 0;
      return Math.ceil(sweepMs(count, settings.firstPace)) + looksMs;
    },
    async open(context, { signal }) {
      const session = new ArpSession(context, settings, machine);
      await session.open(signal);
      return session;
    },
    diagnose: (_, options) => diagnose(settings, machine, options),
    neighbors: (clock, signal) => findNeighbors(settings, machine, clock, signal),
  };
}

function settingsOf(options: ArpOptions): Settings {
  assertOptions("arp", options, { ...configurable, name: nameShape, onProgress: functionShape });
  const { interfaces, ports = defaultPorts, maxNodes = 1_024, sweepEveryMs = 600_000 } = options;
  return {
    via: options.name ?? "arp",
    interfaces,
    ports,
    maxNodes,
    sweepEveryMs,
    sweep: options.sweep ?? false,
    subnets: options.subnets && readRanges("subnets", options.subnets),
    exclude: readRanges("exclude", options.exclude ?? []),
    firstPace: options.pace ?? "gentle",
    onProgress: options.onProgress ?? (() => {}),
  };
}

function readRanges(name: string, texts: readonly string[]): readonly Subnet[] {
  return texts.map((text) => {
    const subnet = parseSubnet(text);
    if (subnet) return subnet;
    throw new RangeError(
      `${name} holds ${JSON.stringify(text)}, and only IPv4 addresses and ranges such as 192.168.20.0/24 are allowed`,
    );
  });
}
