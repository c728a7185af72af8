import { visibleLines } from "@lmserv/discovery-core";
import { Argument, type Command } from "commander";
import { modelOf, scripts, shells } from "../completion/completion.ts";
import type { Io } from "../io/io.ts";

const examples = `
Examples:
  source <(lmserv completion bash)                             in ~/.bashrc
  source <(lmserv completion zsh)                              in ~/.zshrc, after compinit
  lmserv completion fish > ~/.config/fish/completions/lmserv.fish`;

/** Adds `lmserv completion`, which knows all parts of the program, whatever their order. */
export function completionCommand(program: Command, io: Io): void {
  program
    .command("completion")
    .description("Print the script that lets a shell complete this command.")
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .addHelpText("after", examples)
    .action((shell: (typeof shells)[number]) => {
      io.stdout.write(visibleLines(scripts[shell](modelOf(program, [...io.plugins.keys()]))));
    });
}
