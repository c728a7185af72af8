import type { CommandModel, OptionModel, ProgramModel, ValueModel } from "./model.ts";

export function fishScript({ name, options, commands }: ProgramModel): string {
  const rule = (condition: string, rest: string): string =>
    `complete -c ${name} -n ${quote(condition)} ${rest}`;
  const lines = [
    ...options.map((option) => rule("__fish_use_subcommand", optionRule(option))),
    ...commands.map((command) =>
      rule("__fish_use_subcommand", `-a ${command.name} -d ${quote(command.description)}`),
    ),
    ...commands.flatMap((command) =>
      rulesOf(command).map((rest) => rule(`__fish_seen_subcommand_from ${command.name}`, rest)),
    ),
    ...commands
      .filter(({ takesCommand }) => takesCommand)
      .map((command) =>
        rule(
          `__fish_seen_subcommand_from ${command.name}; and contains -- -- (commandline -opc)`,
          "-F -a '(__fish_complete_command)'",
        ),
      ),
  ];
  return `# Completes ${name} in fish: ${name} completion fish | source

complete -c ${name} -f
${lines.join("\n")}
`;
}

function rulesOf({ options, words }: CommandModel): readonly string[] {
  return [...(words.length > 0 ? [`-a ${quote(words.join(" "))}`] : []), ...options.map(optionRule)];
}

function optionRule({ names, description, value, isOptional }: OptionModel): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  // Fish takes an optional value only after an equals sign.
  const taken = value === null || isOptional ? [] : [value.kind === "file" ? "-r -F" : "-x"];
  const offered = value ? offer(value) : [];
  return [...flags, ...taken, ...offered, "-d", quote(description)].join(" ");
}

function offer(value: ValueModel): readonly string[] {
  if (value.kind === "list") return ["-a", quote(`(__fish_append , ${value.words.join(" ")})`)];
  if (value.kind === "word") return ["-a", quote(value.words.join(" "))];
  return value.kind === "interface" ? ["-a", quote("(__fish_print_interfaces)")] : [];
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
