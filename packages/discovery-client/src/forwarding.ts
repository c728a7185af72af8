// For servers that forward requests, such as discovery-gateway.

export { type AttemptOptions, attempt } from "./attempt.ts";
export { Authorities, certificatesFault } from "./authorities.ts";
export { type Api, apiOf, type Call, CallBody } from "./call.ts";
export { catalogueAnswer } from "./catalogue-answer.ts";
export { Connections } from "./connections.ts";
export {
  type Answered,
  Dispatcher,
  type DispatcherOptions,
  type DispatchRequest,
  type Refused,
  type Reply,
} from "./dispatcher.ts";
export { endToEnd, type Headers, requestHeaders } from "./headers.ts";
export { NodeKeys } from "./node-keys.ts";
export { type NodeWatch, watchNodes } from "./node-watch.ts";
export { type Refusal, type RefusalAnswer, refusalAnswer } from "./refusal.ts";
