import { suggestName } from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import type { Origin } from "../settings/origin.ts";
import { type Group, groupOf, settingOf } from "../settings/setting.ts";

/** Transport that runs unless another is chosen, and for whose silence those on standby wait. */
export const primaryType = "mdns";

/** Value of `when` for a transport on standby. */
export const standbyCondition = "mdns-silent";

/** Sets of transports, each for a kind of network. */
const presets = {
  /** Multicast works. */
  lan: { mdns: {} },
  /** Multicast may be filtered: the neighbors are asked when it stays silent. */
  office: { mdns: {}, arp: { sweep: true, when: "mdns-silent", after: "1200ms" } },
  /** No multicast: seeds are known. */
  cloud: { mesh: {} },
} as const;

/** Transports of each set, such as `lan is mdns`. */
export const presetContents: string = Object.entries(presets)
  .map(([name, transports]) => `${name} is ${Object.keys(transports).join(", with ")}`)
  .join("; ");

export type PresetName = keyof typeof presets;

export const presetNames: readonly PresetName[] = Object.keys(presets) as PresetName[];

/** @throws {ConfigError} for an unknown name. */
export function presetTransports(name: string, origin: Origin): Group {
  const preset = presetNames.find((known) => known === name);
  if (preset) {
    const own: Origin = { kind: "preset", preset };
    const entries = Object.entries(presets[preset]);
    return groupOf(
      entries.map(([key, value]) => [key, settingOf(value, own)]),
      own,
    );
  }
  const reason = `is ${JSON.stringify(name)}, which is no preset`;
  throw new ConfigError({ origin, path: ["preset"], reason, fix: suggestName(name, presetNames) });
}
