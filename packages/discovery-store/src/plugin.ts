export { storeChecks, storeWarnings } from "./codes.ts";
export { type ServerSettings, type StoreSettings, serverOptions, storeOptions } from "./settings.ts";
