import type { ServiceHost } from "./service-host.ts";

/** Commands that run as services. */
export const servedCommands = ["up", "announce", "gateway"] as const;
export type ServedCommand = (typeof servedCommands)[number];

/** A service that a user asks for. */
export interface ServiceSpec {
  readonly command: ServedCommand;
  /** Further words of its command line. */
  readonly args: readonly string[];
  /** Whether it is the user's own, and not the system's. */
  readonly user: boolean;
}

/** A program of the system, with its arguments. */
export type Step = readonly [string, ...string[]];

/** A service of one system, as its file and what to do with it. */
export interface ServicePlan {
  readonly file: string;
  readonly text: string;
  /** After the file was written. */
  readonly install: readonly Step[];
  /** Before the file is removed. */
  readonly stop: readonly Step[];
  /** After that. */
  readonly clean: readonly Step[];
  readonly status: Step;
  /** What the user may want to know of it. */
  readonly notes: readonly string[];
}

export type PlanService = (spec: ServiceSpec, host: ServiceHost) => ServicePlan;

/** Whether a program lies where the system's services see nothing unless told to. */
export function isBelowHome(path: string): boolean {
  return /^\/(?:home|root|run\/user)\//.test(path);
}

/** Whether a path is in the cache of npx, which is emptied without notice. */
export function isInNpxCache(path: string): boolean {
  return /[\\/]_npx[\\/]/.test(path);
}

/** `lmserv-up` */
export function nameOf({ command }: ServiceSpec): string {
  return `lmserv-${command}`;
}

export const descriptions: Readonly<Record<ServedCommand, string>> = {
  up: "LLM servers of this machine and of the network at one address",
  announce: "Announcements of the LLM servers of this machine",
  gateway: "LLM servers of the network at one address",
};
