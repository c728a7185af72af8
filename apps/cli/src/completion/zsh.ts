import type { CommandModel, OptionModel, ProgramModel, ValueModel } from "./model.ts";

/** Completion for zsh: sourced, or as a file `_lmserv` on the path of functions. */
export function zshScript({ name, options, commands }: ProgramModel): string {
  return `#compdef ${name}
# Completes ${name} in zsh: source <(${name} completion zsh)

_${name}_commands() {
  local -a commands=(
${commands.map((one) => `    ${quote(`${one.name}:${one.description}`)}`).join("\n")}
  )
  _describe command commands
}

_${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C -s \\
${options.map(optionLine).join("")}    '1: :_${name}_commands' \\
    '*:: :->rest' && return
  case $line[1] in
${commands.map(commandCase).join("\n")}
  esac
}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function commandCase(command: CommandModel): string {
  return `    ${command.name})
      _arguments -s -S \\
${command.options.map(optionLine).join("")}        ${operands(command)}
      ;;`;
}

function operands({ words, takesCommand }: CommandModel): string {
  if (takesCommand) return "'(-)1:command: _command_names -e' '*::argument: _normal'";
  return words.length > 0 ? `'1: :(${words.join(" ")})'` : "'*: : '";
}

function optionLine({ names, description, value, isOptional }: OptionModel): string {
  const text = `[${description.replace(/[[\]\\:]/g, "\\$&")}]${value ? valueSpec(value, isOptional) : ""}`;
  // The sign lets the value follow either it or a space.
  if (names.length === 1) return `        ${quote(`*${names[0]}${value ? "=" : ""}${text}`)} \\\n`;
  return `        ${quote(`(${names.join(" ")})`)}{${names.join(",")}}${quote(text)} \\\n`;
}

function valueSpec(value: ValueModel, isOptional: boolean): string {
  const lead = isOptional ? "::" : ":";
  if (value.kind === "list") return `${lead}names:_values -s , name ${value.words.join(" ")}`;
  if (value.kind === "word") return `${lead}value:(${value.words.join(" ")})`;
  const actions = { interface: "_net_interfaces", file: "_files", any: " " } as const;
  return `${lead}${value.kind}:${actions[value.kind]}`;
}

function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}
