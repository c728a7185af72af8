import { Argument, type Command } from "commander";
import type { ServiceRequest } from "../service/service.ts";
import { type ServedCommand, servedCommands } from "../service/service-plan.ts";

interface ServiceFlags {
  readonly user?: true;
  readonly print?: true;
}

const actions = {
  install: "Have a command run from the start of the system on: systemd on Linux, launchd on macOS.",
  uninstall: "Undo that.",
  status: "Show how it is.",
} as const;

const examples = `
Examples:
  sudo lmserv service install up
  lmserv service install up --user -- --share --as ollama
  lmserv service install gateway --print    only shows the file

Options of the command follow after --. Exit status: 0 done, or it runs, 1 it does not, 2 usage, 70 it could not be done.`;

/** Adds `lmserv service`. */
export function serviceCommand(program: Command, run: (request: ServiceRequest) => Promise<unknown>): void {
  const group = program.command("service").description("Run a command as a service of the system.");
  for (const action of ["install", "uninstall", "status"] as const) {
    const command = group
      .command(action)
      .description(actions[action])
      .addArgument(new Argument("<command>", "what runs").choices(servedCommands))
      .option("--user", "a service of this user, not of the system");
    if (action === "install") {
      command.argument("[options...]", "options of the command, after --");
      command.option("--print", "only show the file").addHelpText("after", examples);
    }
    command.action(async (served: ServedCommand, ...rest: readonly unknown[]) => {
      const args = action === "install" ? (rest[0] as readonly string[]) : [];
      const { user = false, print = false } = command.opts<ServiceFlags>();
      await run({ action, command: served, args, user, print });
    });
  }
}
