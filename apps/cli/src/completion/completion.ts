import type { Command, Option } from "commander";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import type { CommandModel, OptionModel, ProgramModel, ValueModel } from "./model.ts";
import { zshScript } from "./zsh.ts";

export const shells = ["bash", "zsh", "fish"] as const;

export const scripts: Readonly<Record<(typeof shells)[number], (model: ProgramModel) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Completable parts of a program. */
export function modelOf(program: Command, transports: readonly string[]): ProgramModel {
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const names = commands.map((command) => command.name());
  const isHelp = (command: Command): boolean => command.name() === "help";
  return {
    name: program.name(),
    options: help.visibleOptions(program).map((option) => readOption(option, transports)),
    commands: commands.map((command): CommandModel => {
      const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
      return {
        name: command.name(),
        description: command.description(),
        options: help.visibleOptions(command).map((option) => readOption(option, transports)),
        words: isHelp(command) ? names.filter((name) => name !== "help") : choices,
        takesCommand: command.registeredArguments.some(({ variadic }) => variadic),
      };
    }),
  };
}

function readOption(option: Option, transports: readonly string[]): OptionModel {
  const { short, long, description, required, optional } = option;
  return {
    names: [short, long].filter((name) => name !== undefined),
    description,
    value: required || optional ? valueModelOf(option, transports) : null,
    isOptional: optional,
  };
}

function valueModelOf({ long, flags, argChoices }: Option, transports: readonly string[]): ValueModel {
  if (long === "--transport") return { kind: "list", words: transports };
  if (long === "--interface") return { kind: "interface" };
  if (/[<[]file/.test(flags)) return { kind: "file" };
  return argChoices ? { kind: "word", words: argChoices } : { kind: "any" };
}
