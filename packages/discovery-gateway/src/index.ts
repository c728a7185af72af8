export { createGateway, type Gateway, type GatewayOptions, type RequestOutcome } from "./gateway.ts";
