export { onAbort, orAborted } from "./abort-listener.ts";
export {
  canonicalAddress,
  compareReach,
  formatEndpoint,
  isIPv6,
  isLinkLocal,
  isLoopback,
  type ParsedAddress,
  parseAddress,
  withoutZone,
} from "./address.ts";
export { assertPort, completeAnnouncement, isNodeId, isPath, isPort, maxInfoBytes } from "./announcement.ts";
export { answeringAmong } from "./answering-addresses.ts";
export { backoffMs } from "./backoff.ts";
export { type Clock, isoTime, sleep, systemClock } from "./clock.ts";
export { compose, viasOf } from "./compose.ts";
export { withoutCredentials } from "./credentials.ts";
export { Deadlines } from "./deadlines.ts";
export {
  type Check,
  type CheckCode,
  type CheckCodes,
  type Checker,
  checker,
  type DiagnosisContext,
  type Finding,
  sharedChecks,
  type Verdict,
} from "./diagnosis.ts";
export { discoveryShapes } from "./discovery-shapes.ts";
export { toDiscoveryError, type WarningCodes } from "./errors.ts";
export { explain } from "./explanation.ts";
export type { HealthContext, HealthMonitor, HealthReport, ServerDescription } from "./health-monitor.ts";
export type { Identity, NodeKey } from "./identity.ts";
export { silentLog } from "./log.ts";
export { mendName } from "./nearest.ts";
export type { SeenNode } from "./node.ts";
export {
  forward,
  type ObservationSink,
  type ObservationStreamOptions,
  observationStream,
} from "./observation-stream.ts";
export {
  assertOptions,
  functionShape,
  identityShape,
  nameShape,
  type OptionShapes,
} from "./options-check.ts";
export { type OptionFlag, type OptionShape, optionsSchema } from "./options-schema.ts";
export { isTransportPlugin, type PassProgress, type PluginContext, type TransportPlugin } from "./plugin.ts";
export { randomHex, systemRandom } from "./random.ts";
export { Registry, type RegistryOptions } from "./registry.ts";
export { Reminder } from "./reminder.ts";
export { Room, type Seat } from "./room.ts";
export { type GroupShape, issuesOf, type Shape } from "./shape.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./standard-schema.ts";
export { type StandbyOptions, standby } from "./standby.ts";
export { Standstill } from "./standstill.ts";
export { type Sink, Stream } from "./stream.ts";
export { type SuperviseOptions, supervise } from "./supervise.ts";
export type {
  Alive,
  BrowseQuery,
  Cancellable,
  Gone,
  Lost,
  Observation,
  Recovered,
  Registration,
  ResolvedAnnouncement,
  Settled,
  Transport,
  TransportContext,
  TransportSession,
} from "./transport.ts";
export { utf8Text } from "./utf8-text.ts";
