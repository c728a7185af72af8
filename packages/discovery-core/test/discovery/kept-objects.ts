import { queryObjects } from "node:v8";

/** How many objects this process keeps: garbage is collected before they are counted. */
export function keptObjects(): number {
  return queryObjects(Object, { format: "count" });
}
