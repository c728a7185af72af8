export { plugin } from "./plugin.ts";
export { type StaticOptions, staticHosts } from "./transport.ts";
