import { type StoreName, storeNames } from "./store.ts";
import type { StoreRun } from "./store-run.ts";

interface Panel {
  readonly title: string;
  readonly value: (run: StoreRun) => number;
}

const panels: readonly Panel[] = [
  { title: "server, % of a core", value: ({ cpu }) => cpu },
  { title: "on the wire, kB/s", value: ({ bytesPerNode, nodes }) => (bytesPerNode * nodes) / 1_000 },
  { title: "server, MB resident", value: ({ rss }) => rss },
  { title: "new node known by all, ms", value: ({ known }) => middle(known.samples) },
];
const colours: Readonly<Record<StoreName, string>> = { etcd: "#2a6fdb", nats: "#c8501e" };
const panelWidth = 300;
const panelHeight = 230;
const margin = { left: 52, right: 16, top: 30, bottom: 34 };

/**
 * Costs by the count of nodes, both axes logarithmic, so that a cost that grows with N rises by 45 degrees.
 */
export function draw(runs: readonly StoreRun[]): string {
  const width = panelWidth * panels.length;
  const drawn = panels.map(
    (panel, index) => `<g transform="translate(${index * panelWidth} 0)">${drawPanel(panel, runs)}</g>`,
  );
  const style = `<style>text{font:11px sans-serif;fill:#555}path{fill:none}</style>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${panelHeight}"><title>Costs of a fleet, by its nodes</title>${style}<rect width="${width}" height="${panelHeight}" fill="#fff"/>${drawn.join("\n")}</svg>\n`;
}

function drawPanel({ title, value }: Panel, runs: readonly StoreRun[]): string {
  const x = scale(
    runs.map(({ nodes }) => nodes),
    margin.left,
    panelWidth - margin.right,
  );
  const y = scale(runs.map(value), panelHeight - margin.bottom, margin.top);
  const sizes = [...new Set(runs.map(({ nodes }) => nodes))];
  const marks = sizes.map(
    (size) => `<text x="${x.at(size)}" y="${panelHeight - 14}" text-anchor="middle">${size}</text>`,
  );
  const lines = y.decades.map((decade) => {
    const at = y.at(decade);
    return `<path d="M${margin.left} ${at}H${panelWidth - margin.right}" stroke="#ddd"/><text x="${margin.left - 6}" y="${at + 4}" text-anchor="end">${decade.toLocaleString("en")}</text>`;
  });
  const curves = storeNames.flatMap((store) => {
    const points = runs
      .filter((run) => run.store === store)
      .map((run) => [x.at(run.nodes), y.at(value(run))] as const);
    const [last] = points.slice(-1);
    if (!last) return [];
    const dots = points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colours[store]}"/>`);
    return `<path d="M${points.map((point) => point.join(" ")).join("L")}" stroke="${colours[store]}" stroke-width="2"/>${dots.join("")}<text x="${last[0]}" y="${last[1] - 8}" text-anchor="end" style="fill:${colours[store]}">${store}</text>`;
  });
  return `<text x="${margin.left}" y="16" style="font-weight:bold">${title}</text>${lines.join("")}${marks.join("")}${curves.join("")}`;
}

interface Scale {
  readonly at: (value: number) => number;
  readonly decades: readonly number[];
}

/** From whole powers of ten to whole powers of ten. */
function scale(values: readonly number[], from: number, to: number): Scale {
  const usable = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...usable)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...usable))));
  const at = (value: number): number =>
    Math.round((from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from)) * 10) /
    10;
  return { at, decades: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
}

function middle(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;
}
