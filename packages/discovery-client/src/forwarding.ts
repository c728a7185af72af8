// For servers that forward requests, such as discovery-gateway.

export { type AttemptOptions, attempt } from "./forwarding/attempt.ts";
export { Authorities, certificatesFault } from "./forwarding/authorities.ts";
export { type Api, apiOf, type Call, CallBody } from "./forwarding/call.ts";
export { Connections } from "./forwarding/connections.ts";
export {
  type Answered,
  Dispatcher,
  type DispatcherOptions,
  type DispatchRequest,
  type Refused,
  type Reply,
} from "./forwarding/dispatcher.ts";
export { endToEnd, type Headers, requestHeaders } from "./forwarding/headers.ts";
export { type NodeWatch, watchNodes } from "./forwarding/node-watch.ts";
export { type Refusal, type RefusalAnswer, refusalAnswer } from "./forwarding/refusal.ts";
export { catalogueAnswer } from "./models/catalogue-answer.ts";
export { NodeKeys } from "./picker/node-keys.ts";
