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
} from "./addresses/address.ts";
export { answeringAmong } from "./addresses/answering-addresses.ts";
export { compose, viasOf } from "./combinators/compose.ts";
export { type StandbyOptions, standby } from "./combinators/standby.ts";
export { type SuperviseOptions, supervise } from "./combinators/supervise.ts";
export {
  assertPort,
  completeAnnouncement,
  isNodeId,
  isPath,
  isPort,
  maxInfoBytes,
} from "./contract/announcement.ts";
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
} from "./contract/diagnosis.ts";
export { toDiscoveryError, type WarningCodes } from "./contract/errors.ts";
export type {
  HealthContext,
  HealthMonitor,
  HealthReport,
  ServerDescription,
} from "./contract/health-monitor.ts";
export type { Identity, NodeKey } from "./contract/identity.ts";
export { silentLog } from "./contract/log.ts";
export type { SeenNode } from "./contract/node.ts";
export {
  isTransportPlugin,
  type PassProgress,
  type PluginContext,
  type TransportPlugin,
} from "./contract/plugin.ts";
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
} from "./contract/transport.ts";
export { discoveryShapes } from "./discovery/discovery-shapes.ts";
export { suggestName } from "./options/nearest.ts";
export {
  assertOptions,
  functionShape,
  identityShape,
  nameShape,
  type OptionShapes,
} from "./options/options-check.ts";
export { type OptionFlag, type OptionShape, optionsSchema } from "./options/options-schema.ts";
export { type GroupShape, issuesOf, type Shape } from "./options/shape.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./options/standard-schema.ts";
export { Deadlines } from "./registry/deadlines.ts";
export { FairSet, type Rank } from "./registry/fair-set.ts";
export { Registry, type RegistryOptions } from "./registry/registry.ts";
export { linkedAbort, onAbort, orAborted } from "./streams/abort-listener.ts";
export {
  forward,
  type ObservationSink,
  type ObservationStreamOptions,
  observationStream,
} from "./streams/observation-stream.ts";
export { type Sink, Stream } from "./streams/stream.ts";
export { withoutCredentials } from "./text/credentials.ts";
export { explain } from "./text/explanation.ts";
export { utf8Text } from "./text/utf8-text.ts";
export { backoffMs } from "./time/backoff.ts";
export { type Clock, isoTime, sleep, systemClock } from "./time/clock.ts";
export { randomHex, systemRandom } from "./time/random.ts";
export { Reminder } from "./time/reminder.ts";
export { Standstill } from "./time/standstill.ts";
