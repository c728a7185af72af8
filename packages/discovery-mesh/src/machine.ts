import type { SystemInterfaces } from "@lmserv/discovery-core";
import type { MachineMark } from "@lmserv/discovery-network";
import type { Names } from "./seeds.ts";

/** What a session takes from the machine that it runs on. */
export interface Machine {
  readonly names: Names;
  interfaces(): SystemInterfaces;
  hostname(): string;
  mark(): MachineMark;
}
