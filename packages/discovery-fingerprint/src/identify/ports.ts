import { documentPort } from "../document/document.ts";
import { serverKinds } from "./server-kinds.ts";

/** Default ports of LLM servers, the port of documents first. */
export const defaultPorts: readonly number[] = [
  ...new Set([documentPort, ...serverKinds.flatMap(({ ports }) => ports)]),
];
