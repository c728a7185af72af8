import { visibleLines, visibleText } from "@lmserv/discovery-core";
import { type TransportPlugin, withoutCredentials } from "@lmserv/discovery-core/transport";
import { Command, CommanderError } from "commander";
import { announceCommand } from "./commands/announce.ts";
import { completionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { discoverCommand } from "./commands/discover.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { envCommand } from "./commands/env.ts";
import { exportCommand } from "./commands/export.ts";
import { gatewayCommand } from "./commands/gateway.ts";
import { keygenCommand } from "./commands/keygen.ts";
import { runCommand } from "./commands/run.ts";
import { serviceCommand } from "./commands/service.ts";
import { upCommand } from "./commands/up.ts";
import { exitCode } from "./exit-code.ts";
import type { EnvRequest } from "./export/env.ts";
import type { ExportRequest } from "./export/export.ts";
import type { Io } from "./io/io.ts";
import { asksForMore, foreignPlugins } from "./options/foreign-flags.ts";
import type {
  AnnounceRequest,
  DoctorRequest,
  PrintRequest,
  Request,
  RunRequest,
  SearchRequest,
} from "./options/request.ts";
import { UsageError } from "./options/usage-error.ts";
import type { ServiceRequest } from "./service/service.ts";
import { readVersion } from "./version.ts";

/** Commands of a command line; each resolves with the exit code. */
export interface Actions {
  readonly up: (request: AnnounceRequest) => Promise<number>;
  readonly discover: (request: SearchRequest) => Promise<number>;
  readonly watch: (request: SearchRequest) => Promise<number>;
  readonly announce: (request: AnnounceRequest) => Promise<number>;
  readonly run: (request: RunRequest) => Promise<number>;
  readonly gateway: (request: Request) => Promise<number>;
  readonly export: (request: ExportRequest) => Promise<number>;
  readonly env: (request: EnvRequest) => Promise<number>;
  readonly service: (request: ServiceRequest) => Promise<number>;
  readonly doctor: (request: DoctorRequest) => Promise<number>;
  readonly print: (request: PrintRequest) => Promise<number>;
}

/** Parses a command line and carries it out; resolves with the exit code. */
export async function execute(argv: readonly string[], io: Io, actions: Actions): Promise<number> {
  const codes: number[] = [];
  const build = (plugins: readonly TransportPlugin[]): Command => {
    const program = newProgram(io);
    upCommand(program, io, plugins, async (request) => codes.push(await actions.up(request)));
    discoverCommand(program, io, plugins, {
      discover: async (request) => codes.push(await actions.discover(request)),
      watch: async (request) => codes.push(await actions.watch(request)),
    });
    announceCommand(program, io, plugins, async (request) => codes.push(await actions.announce(request)));
    runCommand(program, io, plugins, argv, async (request) => codes.push(await actions.run(request)));
    gatewayCommand(program, io, plugins, async (request) => codes.push(await actions.gateway(request)));
    exportCommand(program, io, plugins, async (request) => codes.push(await actions.export(request)));
    envCommand(program, io, plugins, async (request) => codes.push(await actions.env(request)));
    serviceCommand(program, async (request) => codes.push(await actions.service(request)));
    for (const plugin of plugins) keygenCommand(program, plugin, io);
    doctorCommand(program, io, plugins, async (request) => codes.push(await actions.doctor(request)));
    configCommand(program, io, plugins, async (request) => codes.push(await actions.print(request)));
    completionCommand(program, io);
    return program;
  };
  const own = [...io.plugins.values()];
  let program = build(own);
  if (asksForMore(argv, program)) program = build([...own, ...(await foreignPlugins(argv, io))]);
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`lmserv: error: ${visibleText(withoutCredentials(error.message))}\n`);
      return exitCode.usage;
    }
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCode.found : exitCode.usage;
  }
  return codes[0] ?? exitCode.found;
}

function newProgram(io: Io): Command {
  return new Command("lmserv")
    .description("Find and announce self-hosted LLM servers on the network.")
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(visibleLines(text)),
      writeErr: (text) => io.stderr.write(visibleLines(text)),
      outputError: (text, write) => write(`lmserv: ${withoutArgument(text)}`),
    })
    .addHelpText("after", "\nEach command has its own help: lmserv discover --help");
}

/** Message of commander without an argument that may hold a password, such as the URL of a server. */
function withoutArgument(text: string): string {
  const before = "argument '";
  const from = text.indexOf(before);
  const to = text.lastIndexOf("@");
  const shown = from === -1 || to < from ? text : `${text.slice(0, from + before.length)}…${text.slice(to)}`;
  return withoutCredentials(shown);
}
