import { fileURLToPath } from "node:url";
import { type Command, createLan, type Host, startAvahi } from "@lmserv/test-netlab";
import { figure, median } from "../../harness/figure.ts";
import { rounds } from "../../harness/order.ts";
import type { Section } from "../../harness/section.ts";
import type { Table } from "../../harness/table.ts";
import type { Options } from "../options.ts";
import { absence } from "../peer.ts";

const lmserv = fileURLToPath(new URL("../../../../apps/cli/bin/lmserv.mjs", import.meta.url));
const info = "the-one";

/** A whole process, from its start to its end. */
interface Contender {
  readonly title: string;
  readonly shown: string;
  /** Returns true if the output has the expected find; null for a program that looks for nothing. */
  readonly finds: ((stdout: string) => boolean) | null;
  readonly run: (host: Host) => Promise<string>;
}

function program(title: string, finds: Contender["finds"], shown: string, command: Command): Contender {
  return { title, shown, finds, run: async (host) => (await host.run(command)).stdout };
}

const listsIt = (stdout: string): boolean => stdout.includes(info);
const node = program("Node alone", null, "node -e 0", [process.execPath, "-e", "0"]);
const startUp = program("lmserv, nothing but its start", null, "lmserv config print", [
  process.execPath,
  lmserv,
  "config",
  "print",
]);
const discover = program("lmserv", listsIt, "lmserv discover --first", [
  process.execPath,
  lmserv,
  "discover",
  "--first",
]);
const ours: readonly Contender[] = [node, startUp, discover];

/** Its own host has the daemon, which has been there for a while. */
const avahiTitle = "avahi-browse, its daemon is running";
const avahiShown = "avahi-browse -prt _lmserv._tcp";

export const first: Section<Options> = {
  name: "first",
  measures: "start of the command -> its end with the first node",
  quick: true,
  async run({ repeat }) {
    const missing = await absence("avahi");
    await using lan = await createLan({ hosts: 3 });
    const [server, seeker, other] = lan.hosts;
    await announce(server);
    const contenders = [...ours, ...(missing === null ? [await avahiOn(other)] : [])];
    const outcomes = new Map<Contender, (number | null)[]>(contenders.map((contender) => [contender, []]));
    for (const { item } of rounds(contenders, repeat)) outcomes.get(item)?.push(await time(item, seeker));
    return [tableOf(outcomes, missing)];
  },
};

async function announce(host: Host): Promise<void> {
  const command: Command = [process.execPath, lmserv, "announce", "--port", "8000", "--info", info];
  const announcer = await host.spawn([...command, "--no-check"]);
  await announcer.stderrLine((line) => line.includes("announced "));
}

async function avahiOn(host: Host): Promise<Contender> {
  const avahi = await startAvahi(host);
  const run = async (): Promise<string> => JSON.stringify(await avahi.browse());
  return { title: avahiTitle, shown: avahiShown, finds: listsIt, run };
}

/** In ms; null when it did not find the node. */
async function time({ run, finds }: Contender, host: Host): Promise<number | null> {
  const startMs = performance.now();
  const stdout = await run(host);
  const tookMs = performance.now() - startMs;
  return finds === null || finds(stdout) ? tookMs : null;
}

function tableOf(
  outcomes: ReadonlyMap<Contender, readonly (number | null)[]>,
  missing: string | null,
): Table {
  const rows = [...outcomes].map(([{ title, shown }, all]) => [title, `\`${shown}\``, figure("ms", all)]);
  return {
    title: "Process start -> end with the first node, ms",
    head: ["", "command", "whole process"],
    rows: missing === null ? rows : [...rows, [avahiTitle, `\`${avahiShown}\``, missing]],
    notes: [shareOf(outcomes), "One announcer, on another host. Turns are in random order."],
  };
}

/** Share of a run that passes before the first packet. */
function shareOf(outcomes: ReadonlyMap<Contender, readonly (number | null)[]>): string {
  const [whole, start, bare] = [discover, startUp, node].map((one) =>
    median(figure("ms", outcomes.get(one) ?? []).samples),
  );
  const percent = (ms = Number.NaN): string => `${Math.round((100 * ms) / (whole ?? Number.NaN))} %`;
  return `Of lmserv's run its start is ${percent(start)}, that of Node alone ${percent(bare)}.`;
}
