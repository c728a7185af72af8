export { generateKey } from "./link/cluster-key.ts";
export { defaultMeshPort, type ListenAddress } from "./link/listen-address.ts";
export { plugin } from "./plugin.ts";
export { type MeshOptions, mesh } from "./transport.ts";
