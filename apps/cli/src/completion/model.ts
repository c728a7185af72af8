/** What of the command a shell completes. */
export interface ProgramModel {
  readonly name: string;
  /** Those that stand before any command. */
  readonly options: readonly OptionModel[];
  readonly commands: readonly CommandModel[];
}

export interface CommandModel {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionModel[];
  /** What may stand where no option does. */
  readonly words: readonly string[];
  /** Whether a command of the system follows after `--`. */
  readonly takesCommand: boolean;
}

export interface OptionModel {
  /** The short one, if there is one, before the long one. */
  readonly names: readonly string[];
  readonly description: string;
  /** What follows it, or null where nothing does. */
  readonly value: ValueModel | null;
  /** Whether the value may be left out. */
  readonly isOptional: boolean;
}

/** `list`: some of the words, with commas between. */
export type ValueModel =
  | { readonly kind: "list" | "word"; readonly words: readonly string[] }
  | { readonly kind: "interface" | "file" | "any" };
