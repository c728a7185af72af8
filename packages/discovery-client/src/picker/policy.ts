import type { NodeInfo } from "@lmserv/discovery-core";

/** Wanted nodes, and their order. */
export interface PickPolicy {
  /** Nodes that go first, in this order: ids, `host:port`, hostnames or infos. @default [] */
  readonly prefer?: readonly string[];
  /** `signed`: only nodes with a signature. @default "any" */
  readonly trust?: "any" | "signed";
  /** Models that a name stands for as well; of several, a node gives the first that it has. @default {} */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
}

/** @throws {TypeError} for an invalid policy; the message names the value. */
export function assertPolicy({ prefer = [], trust = "any", aliases = {} }: PickPolicy): void {
  if (!isTexts(prefer)) throw new TypeError(`prefer must be an array of names of nodes, not ${show(prefer)}`);
  if (trust !== "any" && trust !== "signed") {
    throw new TypeError(`trust must be "any" or "signed", not ${show(trust)}`);
  }
  if (typeof aliases !== "object" || aliases === null) {
    throw new TypeError(`aliases must be an object, not ${show(aliases)}`);
  }
  for (const [name, models] of Object.entries(aliases)) {
    if (isTexts(models) && models.length > 0) continue;
    throw new TypeError(`aliases.${name} must be an array of names of models, not ${show(models)}`);
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** True if a name means a node: its id, `host:port`, host, hostname or info, in any case. */
export function isNamed({ id, host, port, hostname, info }: NodeInfo, name: string): boolean {
  const wanted = name.toLowerCase();
  return [id, `${host}:${port}`, host, hostname, info].some((own) => own?.toLowerCase() === wanted);
}

/** True if a signed source describes the node. */
export function isSigned({ sources }: NodeInfo): boolean {
  return sources.some(({ trust }) => trust === "signed");
}
