export { createGateway, type Gateway, type GatewayOptions, type RequestOutcome } from "./gateway.ts";
export type { RequestHandler } from "./request-handler.ts";
export { createShare, type SharedOutcome, type SharedServer, type ShareOptions } from "./share.ts";
