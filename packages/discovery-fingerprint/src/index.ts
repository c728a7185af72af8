export {
  type DocumentedServer,
  documentPath,
  documentPort,
  type WellKnownDocument,
} from "./document/document.ts";
export { documentHandler } from "./document/document-handler.ts";
export type { Condition } from "./health/condition.ts";
export {
  type AskingOptions,
  type CheckHealthOptions,
  checkHealth,
  type DescribeOptions,
  describeServer,
  healthAsker,
  type ServerProfile,
} from "./health/description.ts";
export type {
  AskHealth,
  HealthAnswer,
  HealthOutcome,
  HealthQuestion,
  HealthSilence,
  ServerLists,
} from "./health/health-question.ts";
export type { HealthTiming } from "./health/health-timing.ts";
export {
  type HttpHealthOptions,
  httpHealth,
  type MonitorOptions,
  monitorWith,
} from "./health/http-health.ts";
export { untrustedReason } from "./health/node-check.ts";
export { type FingerprintOptions, fingerprint } from "./identify/fingerprint.ts";
export {
  type Fingerprint,
  type NoReply,
  type OtherService,
  serversOf,
} from "./identify/fingerprint-result.ts";
export type { Identification } from "./identify/identification.ts";
export { type IdentifyOptions, identify } from "./identify/identify.ts";
export { defaultPorts } from "./identify/ports.ts";
export { checkServer, type ServerCheck, type ServerCheckOptions } from "./identify/server-check.ts";
