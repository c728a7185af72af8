import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { Argument, type Command } from "commander";
import type { ExportRequest } from "../export/export.ts";
import { type ExportFormat, exportFormats } from "../export/export-formats.ts";
import type { Io } from "../io/io.ts";
import { parseDurationIn } from "../options/duration.ts";
import { addSharedOptions, type SharedFlags, sharedRequest, single } from "../options/options.ts";
import { addTransportFlags } from "../options/transport-flags.ts";

interface ExportFlags extends SharedFlags {
  readonly watch?: true;
  readonly out?: string;
  readonly exec?: string;
  readonly timeout?: number;
}

const timeoutRange = { leastMs: 1, mostMs: 86_400_000 };

const examples = `
Formats:
  prometheus   targets for file_sd_configs
  litellm      model_list of LiteLLM; JSON is YAML too
  olla         endpoints of Olla; JSON is YAML too
  caddy        upstreams, to import in the block of reverse_proxy of a Caddyfile
  json         the list, as lmserv discover --json has it

Examples:
  lmserv export litellm --out config.yaml
  lmserv export prometheus --watch --out /etc/prometheus/lmserv.json
  lmserv export caddy --watch --out llm.caddy --exec "caddy reload"
  lmserv export json --watch --out nodes.json --exec "./reload-proxy nodes.json"

With --watch a file is written anew when something that matters has changed, at most once a second, and never before the
first look is over. Servers that are silent or want a key are in prometheus and json only; caddy has those of OpenAI's API without TLS.

Exit status: 0 found, 1 none in time, 2 usage, 3 every chosen transport failed, 70 the file could not be written,
128 + N ended by signal N (130 by SIGINT); with --watch 0 ended by SIGTERM.`;

/** Adds `lmserv export`. */
export function exportCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  run: (request: ExportRequest) => Promise<unknown>,
): void {
  const command = program
    .command("export")
    .description("Write the list of servers for another program.")
    .addArgument(new Argument("<format>", "what to write").choices(exportFormats))
    .option("--watch", "write it anew at every change, until stopped")
    .addOption(single("--out <file>", "file to replace as a whole (default: stdout)", (text) => text))
    .addOption(single("--exec <command>", "with --out: command to run after each write", (text) => text))
    .addOption(
      single("--timeout <duration>", "without --watch: time to search (default: 3s)", (text) =>
        parseDurationIn(text, timeoutRange),
      ),
    );
  const settings = addTransportFlags(addSharedOptions(command, io), plugins);
  command.addHelpText("after", examples).action(async (format: ExportFormat, flags: ExportFlags) => {
    const { watch = false, out = null, exec = null, timeout = null } = flags;
    if (exec !== null && out === null) command.error("error: option '--exec' needs --out");
    if (watch && timeout !== null)
      command.error("error: option '--timeout' cannot be used with option '--watch'");
    await run({ ...sharedRequest(flags, settings()), format, watch, out, exec, timeoutMs: timeout });
  });
}
