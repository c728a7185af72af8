export { storeChecks, storeWarnings } from "./codes.ts";
export { passwordExposed } from "./exposure.ts";
export { HeldValue } from "./held-value.ts";
export {
  type ServerSettings,
  type StoreSettings,
  serverOptions,
  storeOptions,
  storeShapes,
} from "./settings.ts";
export {
  type Held,
  maxEntries,
  maxValueBytes,
  type Store,
  type StoreConnection,
  type StoreContext,
  type Watcher,
} from "./store.ts";
export { type StoreOptions, storeTransport } from "./transport.ts";
