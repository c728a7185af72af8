/** Parts of the command that a shell completes. */
export interface ProgramModel {
  readonly name: string;
  /** Options before any command. */
  readonly options: readonly OptionModel[];
  readonly commands: readonly CommandModel[];
}

export interface CommandModel {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionModel[];
  /** Values of the positional argument. */
  readonly words: readonly string[];
  /** True if a command of the system follows after `--`. */
  readonly takesCommand: boolean;
}

export interface OptionModel {
  /** Short name first, if there is one. */
  readonly names: readonly string[];
  readonly description: string;
  /** Value of the option, or null for a switch. */
  readonly value: ValueModel | null;
  /** True if the value is optional. */
  readonly isOptional: boolean;
}

/** `list`: some of the words, comma-separated. */
export type ValueModel =
  | { readonly kind: "list" | "word"; readonly words: readonly string[] }
  | { readonly kind: "interface" | "file" | "any" };
