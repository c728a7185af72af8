import { documentPort } from "../document/document.ts";
import { serverKinds } from "./server-kinds.ts";

/** Where LLM servers listen unless told otherwise, the port of documents first. */
export const defaultPorts: readonly number[] = [
  ...new Set([documentPort, ...serverKinds.flatMap(({ ports }) => ports)]),
];
