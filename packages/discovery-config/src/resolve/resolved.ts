import {
  type Clock,
  type Transport,
  type TransportPlugin,
  withoutCredentials,
} from "@lmserv/discovery-core/transport";
import { formatOrigin, type Origin } from "../settings/origin.ts";
import type { ResolvedGateway } from "./gateway.ts";

/** A configuration that was checked, with everything made and nothing started. */
export interface ResolvedConfig {
  /** The file that was found, or null. */
  readonly file: string | null;
  /** In the order in which they were named; at least one. */
  readonly transports: readonly ResolvedTransport[];
  /** The local endpoint; null unless its flags were given. */
  readonly gateway: ResolvedGateway | null;
  /** Everything that is set, and every default that is known. */
  readonly settings: readonly ResolvedSetting[];
  /** Why optional transports were left out. */
  readonly warnings: readonly string[];
}

export interface ResolvedTransport {
  /** Its key in the file; what `--transport` selects and `sources[].transport` shows. */
  readonly name: string;
  /** Its plug-in's, such as `mdns`. */
  readonly type: string;
  readonly announces: boolean;
  readonly plugin: TransportPlugin;
  /** How long mDNS must be silent before it runs, in ms; null when it runs always. */
  readonly afterMs: number | null;
  /** Inert until it is opened. */
  readonly transport: Transport;
  /** How long its first pass over the medium takes, about, in ms. */
  readonly firstPassMs: () => Promise<number>;
  /** Addresses of the hosts near this machine, as far as it can name them. */
  readonly neighbors: (clock: Clock, signal: AbortSignal) => Promise<readonly string[]>;
}

export interface ResolvedSetting {
  /** Such as `transports.arp.sweep`. */
  readonly path: string;
  /** Null for a secret. */
  readonly value: unknown;
  readonly isSecret: boolean;
  readonly origin: Origin;
}

/** The settings as lines for people: `transports.arp.sweep = true   # preset office`. */
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
