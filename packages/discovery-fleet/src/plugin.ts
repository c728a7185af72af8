export { storeChecks, storeWarnings } from "./codes.ts";
export { type FleetSettings, fleetOptions, type ServerSettings, serverOptions } from "./settings.ts";
