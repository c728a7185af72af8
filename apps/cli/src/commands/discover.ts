import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { type Command, Option } from "commander";
import type { Io } from "../io/io.ts";
import { parseDurationIn } from "../options/duration.ts";
import { addSharedOptions, type SharedFlags, sharedRequest, single } from "../options/options.ts";
import { defaultTtlMs, type SearchRequest, type UrlKind } from "../options/request.ts";
import { addTransportFlags } from "../options/transport-flags.ts";
import { parseCount, parseWord } from "../options/values.ts";

interface DiscoverFlags extends SharedFlags {
  readonly json?: true;
  readonly watch?: true;
  readonly first?: true;
  readonly wait?: number;
  readonly timeout?: number;
  readonly ttl?: number;
  readonly check: boolean;
  readonly model?: string;
  readonly server?: string;
  readonly healthy?: true;
  readonly print?: UrlKind;
}

interface DiscoverActions {
  readonly discover: (request: SearchRequest) => Promise<unknown>;
  readonly watch: (request: SearchRequest) => Promise<unknown>;
}

const urlKinds: readonly UrlKind[] = ["url", "base", "openai"];
const dayMs = 86_400_000;
const timeoutRange = { leastMs: 1, mostMs: dayMs };
/** Range of the registry. */
const ttlRange = { leastMs: 1_000, mostMs: dayMs };

const examples = `
Examples:
  lmserv discover                          a table of the servers that are there
  lmserv discover --json | jq '.nodes[].url'
  lmserv discover --first --timeout 10s    as soon as there is one
  lmserv discover --model llama3 --healthy --print openai
  lmserv discover --watch --json           a line of JSON for every change
  lmserv discover --transport mdns,arp --sweep   also where multicast is blocked
  lmserv discover --transport mesh --key-file mesh.key --seed ws://10.0.0.1:7946
  lmserv discover --transport etcd --endpoint http://10.0.0.1:2379
  lmserv discover --preset office          sweep when multicast stays silent

Exit status: 0 found (at least N with --wait N), 1 none or fewer in time, 2 usage,
3 every chosen transport failed, 128 + N ended by signal N (130 by SIGINT).`;

/** Adds `lmserv discover`. */
export function discoverCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  actions: DiscoverActions,
): void {
  const command = program
    .command("discover")
    .description("Find the LLM servers on the network.")
    .option("--json", "print JSON: one document, or with --watch one object per line")
    .option("--watch", "print every change until stopped")
    .addOption(new Option("--first", "end as soon as one is found").conflicts("wait"))
    .addOption(single("--wait <n>", "end as soon as n are found", parseCount))
    .addOption(
      single(
        "--timeout <duration>",
        "time to search (default: while something new is expected; with --watch: no end)",
        (text) => parseDurationIn(text, timeoutRange),
      ),
    )
    .addOption(
      single("--ttl <duration>", "drop a server that was not heard of for so long (default: 60s)", (text) =>
        parseDurationIn(text, ttlRange),
      ),
    )
    .option("--no-check", "do not check the servers' health")
    .addOption(single("--model <name>", "only servers that have this model", parseWord))
    .addOption(single("--server <kind>", "only servers of this kind, such as ollama", parseWord))
    .addOption(new Option("--healthy", "only servers that can answer now").conflicts("check"))
    .addOption(
      new Option("--print <url>", "one URL a line: of the endpoint, of the server, or for OpenAI's clients")
        .choices(urlKinds)
        .conflicts(["json", "watch"]),
    );
  const settings = addTransportFlags(addSharedOptions(command, io), plugins);
  command.addHelpText("after", examples).action(async (flags: DiscoverFlags) => {
    const request = {
      ...sharedRequest(flags, settings()),
      json: flags.json ?? false,
      // The first one is wanted at once: only questions that a filter needs are sent.
      check: flags.check && (!flags.first || flags.healthy === true || flags.model !== undefined),
      filter: {
        ...(flags.model !== undefined && { model: flags.model }),
        ...(flags.server !== undefined && { server: flags.server }),
        ...(flags.healthy && { healthy: true }),
      },
      print: flags.print ?? null,
      atLeast: flags.first ? 1 : (flags.wait ?? null),
      ttlMs: flags.ttl ?? defaultTtlMs,
      timeoutMs: flags.timeout ?? null,
    };
    if (flags.watch) await actions.watch(request);
    else await actions.discover(request);
  });
}
