export { generateKey } from "./link/cluster-key.ts";
export type { ListenAddress } from "./link/listen-address.ts";
export { plugin } from "./plugin.ts";
export { defaultMeshPort, type MeshOptions, mesh } from "./transport.ts";
