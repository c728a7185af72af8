export { plugin } from "./plugin.ts";
export { type EtcdOptions, etcd } from "./transport.ts";
