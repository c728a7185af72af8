export { plugin } from "./plugin.ts";
export { type NatsOptions, nats } from "./transport.ts";
