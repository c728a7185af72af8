export { composeConfigured } from "./composition.ts";
export { ConfigError, isConfigError } from "./config-error.ts";
export { type DiscoveryFromConfigOptions, discoveryFromConfig } from "./discovery.ts";
export { inspectFile, type Safety, type SafetyFault } from "./files/file-safety.ts";
export type { Environment, ReadFile } from "./files/file-search.ts";
export type { ConfigFlags, ConfigInput, FlagOption } from "./input.ts";
export type { PluginTable } from "./plugins/plugins.ts";
export type { GatewayConfig, ResolvedGateway } from "./resolve/gateway.ts";
export { type PresetName, presetNames, primaryType } from "./resolve/preset.ts";
export { foreignPlugins, resolveConfig } from "./resolve/resolve.ts";
export {
  formatSettings,
  type ResolvedConfig,
  type ResolvedSetting,
  type ResolvedTransport,
} from "./resolve/resolved.ts";
export { parseDuration } from "./schema/duration.ts";
export { listeningOption, type TransportFlag, transportFlags } from "./schema/flags.ts";
export { formatOrigin, type Origin } from "./settings/origin.ts";
