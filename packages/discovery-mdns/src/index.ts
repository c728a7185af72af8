export {
  announceSelf,
  type DiscoverNodesOptions,
  discoverNodes,
  type NodeRegistry,
  type NodeRegistryOptions,
  registry,
} from "./original.ts";
export { plugin } from "./plugin.ts";
export { type MdnsOptions, mdns } from "./transport.ts";
