import type { ServiceHost } from "./service-host.ts";

export const servedCommands = ["up", "announce", "gateway"] as const;
export type ServedCommand = (typeof servedCommands)[number];

/** Requested service. */
export interface ServiceSpec {
  readonly command: ServedCommand;
  /** Further words of its command line. */
  readonly args: readonly string[];
  /** True for a service of the user, false for one of the system. */
  readonly user: boolean;
}

/** Program of the system, with its arguments. */
export type Step = readonly [string, ...string[]];

/** Service of one system: its file and the steps of its management. */
export interface ServicePlan {
  readonly file: string;
  readonly text: string;
  /** Steps after the file was written. */
  readonly install: readonly Step[];
  /** Steps before the file is removed. */
  readonly stop: readonly Step[];
  /** Steps after that. */
  readonly clean: readonly Step[];
  readonly status: Step;
  /** Notes for the user. */
  readonly notes: readonly string[];
}

export type PlanService = (spec: ServiceSpec, host: ServiceHost) => ServicePlan;

/** True if the system's services cannot see a program's place by default. */
export function isBelowHome(path: string): boolean {
  return /^\/(?:home|root|run\/user)\//.test(path);
}

/** True if a path is in the cache of npx, which is emptied without notice. */
export function isInNpxCache(path: string): boolean {
  return /[\\/]_npx[\\/]/.test(path);
}

/** Name such as `lmserv-up`. */
export function nameOf({ command }: ServiceSpec): string {
  return `lmserv-${command}`;
}

export const descriptions: Readonly<Record<ServedCommand, string>> = {
  up: "LLM servers of this machine and of the network at one address",
  announce: "Announcements of the LLM servers of this machine",
  gateway: "LLM servers of the network at one address",
};
