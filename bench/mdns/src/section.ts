import type { Options } from "./options.ts";
import type { Table } from "./table.ts";

/** A part of the benchmark that can be chosen by name. */
export interface Section {
  readonly name: string;
  /** Ends the sentence "measures ...". */
  readonly measures: string;
  /** Whether it runs when no section is chosen. */
  readonly quick: boolean;
  readonly run: (options: Options) => Promise<readonly Table[]>;
}
