import {
  type Clock,
  type Transport,
  type TransportPlugin,
  withoutCredentials,
} from "@lmserv/discovery-core/transport";
import { formatOrigin, type Origin } from "../settings/origin.ts";
import type { ResolvedGateway } from "./gateway.ts";

/** Checked configuration, with everything made and nothing started. */
export interface ResolvedConfig {
  /** Configuration file, or null without one. */
  readonly file: string | null;
  /** Order in which they were named; at least one. */
  readonly transports: readonly ResolvedTransport[];
  /** Local endpoint; null unless its flags were given. */
  readonly gateway: ResolvedGateway | null;
  /** Everything that is set, and every known default. */
  readonly settings: readonly ResolvedSetting[];
  /** Reasons for which optional transports were left out. */
  readonly warnings: readonly string[];
}

export interface ResolvedTransport {
  /** Key in the file; `--transport` selects it and `sources[].transport` shows it. */
  readonly name: string;
  /** Type of its plug-in, such as `mdns`. */
  readonly type: string;
  readonly announces: boolean;
  readonly plugin: TransportPlugin;
  /** Silence of mDNS before it runs, in ms; null if it always runs. */
  readonly afterMs: number | null;
  /** Inert until it is opened. */
  readonly transport: Transport;
  /** Estimated duration of its first pass over the medium, in ms. */
  readonly firstPassMs: () => Promise<number>;
  /** Addresses of the hosts near this machine, as far as it can name them. */
  readonly neighbors: (clock: Clock, signal: AbortSignal) => Promise<readonly string[]>;
}

export interface ResolvedSetting {
  /** Path such as `transports.arp.sweep`. */
  readonly path: string;
  /** Null for a secret. */
  readonly value: unknown;
  readonly isSecret: boolean;
  readonly origin: Origin;
}

/** Settings as lines for people: `transports.arp.sweep = true # preset office`. */
export function formatSettings(settings: readonly ResolvedSetting[]): string {
  const lines = settings.map(({ path, value, isSecret, origin }) => ({
    left: `${path} = ${isSecret ? "(secret)" : withoutCredentials(JSON.stringify(value))}`,
    right: `# ${formatOrigin(origin)}`,
  }));
  const width = Math.min(maxWidth, Math.max(0, ...lines.map(({ left }) => left.length)));
  return lines.map(({ left, right }) => `${left.padEnd(width)}  ${right}\n`).join("");
}

/** A long list does not push the origins of the others out of sight. */
const maxWidth = 60;
