import { queryObjects } from "node:v8";

/** Count of the process's objects after a garbage collection. */
export function keptObjects(): number {
  return queryObjects(Object, { format: "count" });
}
