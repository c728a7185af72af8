export type { Condition } from "./condition.ts";
export {
  type AskingOptions,
  type CheckHealthOptions,
  checkHealth,
  type DescribeOptions,
  describeServer,
  healthAsker,
  type ServerProfile,
} from "./description.ts";
export { type DocumentedServer, documentPath, documentPort, type WellKnownDocument } from "./document.ts";
export { documentHandler } from "./document-handler.ts";
export type {
  AskHealth,
  HealthAnswer,
  HealthOutcome,
  HealthQuestion,
  HealthSilence,
  ServerLists,
} from "./health-question.ts";
export type { HealthTiming } from "./health-timing.ts";
export { type HttpHealthOptions, httpHealth, type MonitorOptions, monitorWith } from "./http-health.ts";
export type { Identification } from "./identification.ts";
export { type IdentifyOptions, identify } from "./identify.ts";
export { type LookOptions, look } from "./look.ts";
export { untrustedReason } from "./node-check.ts";
export { defaultPorts } from "./ports.ts";
export { checkServer, type ServerCheck, type ServerCheckOptions } from "./server-check.ts";
export { type Quiet, type Stranger, serversOf, type Verdict } from "./verdict.ts";
