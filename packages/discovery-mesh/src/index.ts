export { generateKey } from "./link/cluster-key.ts";
export type { ListenAddress } from "./link/listener.ts";
export { defaultMeshPort, type MeshOptions, mesh } from "./transport.ts";
