import { documentPort } from "./document.ts";
import { engines } from "./engines.ts";

/** Where LLM servers listen unless told otherwise, the port of documents first. */
export const defaultPorts: readonly number[] = [
  ...new Set([documentPort, ...engines.flatMap(({ ports }) => ports)]),
];
