export {
  type AnnouncementChanges,
  createDiscovery,
  type DiscoverOptions,
  type Discovery,
  type DiscoveryOptions,
  type NodeRegistration,
} from "./discovery.ts";
export { DiscoveryError, type DiscoveryErrorCode, discoveryErrorCodes, isDiscoveryError } from "./errors.ts";
export type { HealthState, Model, NodeHealth } from "./health.ts";
export type { Log, LogLevel } from "./log.ts";
export { findModel, modelNamesOf } from "./model-name.ts";
export type { Announcement, Auth, NodeInfo, NodeSource, Reach, Scheme, SeenAddress, Trust } from "./node.ts";
export { matches, type NodeFilter } from "./node-filter.ts";
export type { DownReason, RegistryChange } from "./registry-change.ts";
export type { TransportStatus } from "./status-report.ts";
export type { NodeView } from "./transport.ts";
export { visibleLines, visibleText } from "./visible-text.ts";
