import type { CommandModel, OptionModel, ProgramModel, ValueModel } from "./model.ts";

/** Completion for bash, from 3.2 on; it needs nothing else. */
export function bashScript({ name, options, commands }: ProgramModel): string {
  const words = commands.map((one) => one.name);
  const root: CommandModel = { name: "", description: "", options, words, takesCommand: false };
  const all = [root, ...commands];
  return `# Completes ${name} in bash: source <(${name} completion bash)

# Completes the last of several words with commas between; none is offered twice.
_${name}_list() {
  local rest="\${cur##*,}" word given left=""
  given="\${cur%"$rest"}"
  for word in "$@"; do
    [[ ",$given" == *",$word,"* ]] || left+=" $word"
  done
  COMPREPLY=($(compgen -P "$given" -W "$left" -- "$rest"))
}

_${name}_interfaces() {
  local name names
  read -d "" -ra names <<<"$(command ls /sys/class/net 2>/dev/null || ifconfig -l 2>/dev/null)"
  # Names with other characters are left out: the shell would expand them.
  for name in "\${names[@]}"; do
    [[ $name == "$cur"* && $name != *[!A-Za-z0-9._:@-]* ]] && COMPREPLY+=("$name")
  done
}

_${name}_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}

_${name}() {
  local IFS=$' \\t\\n' cur="\${COMP_WORDS[COMP_CWORD]}" previous="" command="" words="" names="" index
  COMPREPLY=()
  ((COMP_CWORD > 0)) && previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  # In --option=value, bash takes the sign for a word.
  if [[ $cur == "=" ]]; then
    cur=""
  elif [[ $previous == "=" ]] && ((COMP_CWORD > 1)); then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    if [[ \${COMP_WORDS[index]} != -* ]]; then
      command="\${COMP_WORDS[index]}"
      break
    fi
  done

  # After --, words belong to another command.
  for ((index++; index < COMP_CWORD; index++)); do
    [[ \${COMP_WORDS[index]} == -- && " ${commandTakers(commands)} " == *" $command "* ]] || continue
    if ((index + 1 == COMP_CWORD)); then
      COMPREPLY=($(compgen -c -- "$cur"))
    else
      _${name}_files
    fi
    return
  done

  case "$command $previous" in
${all.flatMap((command) => valueCases(name, command)).join("\n")}
  esac

  case "$command" in
${all.map(nameCase).join("\n")}
  esac
  [[ $cur == -* ]] && words="$names"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -F _${name} ${name}
`;
}

function commandTakers(commands: readonly CommandModel[]): string {
  return commands
    .filter(({ takesCommand }) => takesCommand)
    .map(({ name }) => name)
    .join(" ");
}

/** An optional value gives way to the next option. */
function valueCases(program: string, { name, options }: CommandModel): readonly string[] {
  return options.flatMap(({ names, value, isOptional }) => {
    if (value === null) return [];
    const pattern = names.map((option) => `"${name} ${option}"`).join(" | ");
    const leave = isOptional ? "[[ $cur == -* ]] || return" : "return";
    return [`    ${pattern})`, ...completeValue(program, value), `      ${leave}`, "      ;;"];
  });
}

function completeValue(program: string, value: ValueModel): readonly string[] {
  if (value.kind === "any") return [];
  if (value.kind === "list") return [`      _${program}_list ${value.words.join(" ")}`];
  if (value.kind === "word") return [`      COMPREPLY=($(compgen -W "${value.words.join(" ")}" -- "$cur"))`];
  return [`      _${program}_${value.kind}s`];
}

function nameCase({ name, options, words }: CommandModel): string {
  const names = options.flatMap((option: OptionModel) => option.names);
  return `    "${name}")
      words="${words.join(" ")}"
      names="${names.join(" ")}"
      ;;`;
}
