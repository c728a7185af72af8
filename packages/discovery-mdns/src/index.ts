export { plugin } from "./plugin.ts";
export {
  announceSelf,
  type DiscoverNodesOptions,
  discoverNodes,
  type NodeRegistry,
  type NodeRegistryOptions,
  registry,
} from "./python-compat.ts";
export { type MdnsOptions, mdns } from "./transport.ts";
