import { readFile } from "node:fs/promises";
import type { Transport } from "@lmserv/discovery-core";
import { mesh } from "@lmserv/discovery-mesh";
import { explain } from "./failure.ts";
import type { MeshRequest } from "./mesh-options.ts";

/** @throws {RangeError} for a key file that cannot be used, and for what the mesh does not take. */
export async function makeMesh(request: MeshRequest = { role: "observer", seeds: [] }): Promise<Transport> {
  const { role, seeds, cluster, keyFile, listen, identity } = request;
  return mesh({
    role,
    seeds,
    ...(cluster !== undefined && { cluster }),
    ...(keyFile !== undefined && { keys: await readKeys(keyFile) }),
    ...(listen && { listen: [listen] }),
    ...(identity && { identity }),
  });
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new RangeError(`the key file cannot be read: ${explain(error)}`, { cause: error });
  }
}
