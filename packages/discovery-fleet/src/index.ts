export { storeChecks, storeWarnings } from "./codes.ts";
export {
  type Engine,
  type EngineConnection,
  type EngineContext,
  type EngineEntry,
  type EngineEvent,
  type Held,
  maxEntries,
  maxValueBytes,
} from "./engine.ts";
export { type EngineStreamOptions, engineStream } from "./engine-stream.ts";
export { passwordExposed } from "./exposure.ts";
export {
  type FleetSettings,
  fleetOptions,
  fleetShapes,
  type ServerSettings,
  serverOptions,
} from "./settings.ts";
export { type FleetOptions, fleet } from "./transport.ts";
