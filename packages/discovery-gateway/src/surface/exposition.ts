import { visibleText } from "@lmserv/discovery-core";

export type Labels = Readonly<Record<string, string>>;

/** A value of a metric; `suffix` is that of a part of a histogram. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly samples: readonly Sample[];
}

export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** Other hosts choose some of them. */
const maxLabelLength = 256;

/** Metrics in Prometheus' text format, version 0.0.4. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(textOf).join("");
}

function textOf({ name, help, type, samples }: Metric): string {
  const lines = samples.map(
    ({ labels, value, suffix = "" }) => `${name}${suffix}${braced(labels)} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function braced(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return visibleText(value.slice(0, maxLabelLength)).replace(/["\\]/g, "\\$&");
}
