import { visibleText } from "@lmserv/discovery-core";
import type { Check, Verdict } from "@lmserv/discovery-core/transport";
import { paint } from "../output/terminal.ts";

/** Order of verdicts, the worst first. */
const order: readonly Verdict[] = ["fail", "warn", "skip", "ok"];
const colors = { ok: "green", warn: "yellow", fail: "red", skip: null } as const;
const hostTitle = "this machine";

/** Verdict on all checks: the worst of fail, warn and ok. */
export function worstOf(checks: readonly Check[]): Exclude<Verdict, "skip"> {
  const has = (verdict: Verdict): boolean => checks.some((one) => one.verdict === verdict);
  if (has("fail")) return "fail";
  return has("warn") ? "warn" : "ok";
}

export interface FindingsOptions {
  readonly color: boolean;
  /** Shows every check, not only those that may matter. */
  readonly verbose: boolean;
  /** Last line. */
  readonly conclusion: string;
}

/** Formats checks for people, by transport, each with its remedy; the sum and the conclusion come last. */
export function formatFindings(
  all: readonly Check[],
  { color, verbose, conclusion }: FindingsOptions,
): string {
  const checks = all.filter(({ verdict }) => verbose || verdict === "fail" || verdict === "warn");
  const groups = [...new Set(checks.map(({ transport }) => transport))];
  const parts = groups.map((transport) => {
    const lines = checks.filter((one) => one.transport === transport).flatMap((one) => linesOf(one, color));
    const title = visibleText(transport ?? hostTitle);
    return [color ? paint("bold", title) : title, ...lines].join("\n");
  });
  const hidden = all.length > checks.length ? " (-v shows them all)" : "";
  return `${[...parts, `${summary(all)}${hidden}`, visibleText(conclusion)].join("\n\n")}\n`;
}

function linesOf({ verdict, code, message, fix }: Check, color: boolean): readonly string[] {
  const mark = verdict.padEnd("warn".length);
  const hue = colors[verdict];
  const line = `  ${color && hue ? paint(hue, mark) : mark}  ${visibleText(message)}`;
  if (verdict === "ok") return [line];
  return [`${line} [${code}]`, ...(fix === null ? [] : [`        ${visibleText(fix)}`])];
}

function summary(checks: readonly Check[]): string {
  return order
    .map((verdict) => ({ verdict, count: checks.filter((one) => one.verdict === verdict).length }))
    .filter(({ verdict, count }) => count > 0 || verdict === "fail")
    .map(({ verdict, count }) => `${count} ${verdict}`)
    .join(", ");
}
