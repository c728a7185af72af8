export { storeChecks, storeWarnings } from "./codes.ts";
export {
  type Engine,
  type EngineConnection,
  type EngineContext,
  type Held,
  maxEntries,
  maxValueBytes,
  type Watcher,
} from "./engine.ts";
export { passwordExposed } from "./exposure.ts";
export { HeldValue } from "./held-value.ts";
export {
  type FleetSettings,
  fleetOptions,
  fleetShapes,
  type ServerSettings,
  serverOptions,
} from "./settings.ts";
export { type FleetOptions, fleet } from "./transport.ts";
