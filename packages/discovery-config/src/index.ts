export { composeConfigured } from "./composition.ts";
export { ConfigError, isConfigError } from "./config-error.ts";
export { type DiscoveryFromConfigOptions, discoveryFromConfig } from "./discovery.ts";
export { parseDuration } from "./duration.ts";
export { inspectFile, type Safety, type SafetyFault } from "./file-safety.ts";
export type { Environment, ReadFile } from "./file-search.ts";
export { listeningOption, type TransportFlag, transportFlags } from "./flags.ts";
export type { GatewayConfig, ResolvedGateway } from "./gateway.ts";
export type { ConfigFlags, ConfigInput, FlagOption } from "./input.ts";
export { formatOrigin, type Origin } from "./origin.ts";
export type { PluginTable } from "./plugins.ts";
export { type PresetName, presetNames } from "./preset.ts";
export { foreignPlugins, resolveConfig } from "./resolve.ts";
export {
  formatSettings,
  type ResolvedConfig,
  type ResolvedSetting,
  type ResolvedTransport,
} from "./resolved.ts";
