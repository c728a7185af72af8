export {
  DiscoveryError,
  type DiscoveryErrorCode,
  discoveryErrorCodes,
  isDiscoveryError,
} from "./contract/errors.ts";
export type { HealthState, Model, NodeHealth } from "./contract/health.ts";
export type { Log, LogLevel } from "./contract/log.ts";
export type {
  Announcement,
  Auth,
  NodeInfo,
  NodeSource,
  Reach,
  Scheme,
  SeenAddress,
  Trust,
} from "./contract/node.ts";
export type { DownReason, RegistryChange } from "./contract/registry-change.ts";
export type { NodeView } from "./contract/transport.ts";
export {
  type AnnouncementChanges,
  createDiscovery,
  type Discovery,
  type NodeRegistration,
} from "./discovery/discovery.ts";
export type { DiscoverOptions, DiscoveryOptions } from "./discovery/discovery-options.ts";
export { findModel, modelNamesOf } from "./discovery/model-name.ts";
export { matches, type NodeFilter } from "./discovery/node-filter.ts";
export type { TransportStatus } from "./discovery/status-report.ts";
export { visibleLines, visibleText } from "./text/visible-text.ts";
