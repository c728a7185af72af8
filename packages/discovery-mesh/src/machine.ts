import type { MachineMark, System } from "@lmserv/discovery-network";
import type { Names } from "./seeds.ts";

/** What a session takes from the machine that it runs on. */
export interface Machine {
  readonly names: Names;
  system(): System;
  hostname(): string;
  mark(): MachineMark;
}
