const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const dayMs = 86_400_000;

/** Pattern of `parseDuration` and of the JSON Schema. */
export const durationPattern: RegExp = /^(\d{1,9})(ms|s|m|h)?$/;

/** Parses `500ms`, `3s`, `2m`, `1h`, or a number of seconds, at most 24h, to ms; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, digits, unit = "s"] = durationPattern.exec(text) ?? [];
  const ms = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  return ms <= dayMs ? ms : null;
}
