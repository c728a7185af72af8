export { hostileBytes, hostileText, textOf } from "./mutation.ts";
export { type HostileKind, readsHostile, type Subject } from "./reading.ts";
