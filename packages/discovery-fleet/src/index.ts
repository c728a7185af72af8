export {
  type Engine,
  type EngineConnection,
  type EngineContext,
  type EngineEntry,
  type EngineEvent,
  type Held,
  type HoldOptions,
  maxEntries,
  maxValueBytes,
} from "./engine.ts";
