import { ConfigError, type ResolvedConfig } from "@lmserv/discovery-config";
import type { DiscoveryError } from "@lmserv/discovery-core";
import { explain } from "./failure.ts";

const mend = "end the program that has it, or listen on another port: --listen 0.0.0.0:7947";

/** That a mesh's port is somebody else's, as the mistake in the configuration that it is; null if that is not so. */
export function takenPort(
  failures: readonly DiscoveryError[],
  { transports, settings }: ResolvedConfig,
): ConfigError | null {
  const meshes = transports.filter(({ type }) => type === "mesh").map(({ name }) => name);
  const taken = failures.find(({ code, via }) => code === "ADDRESS_IN_USE" && meshes.includes(via ?? ""));
  if (!taken?.via) return null;
  const path = ["transports", taken.via, "listen"];
  const listen = settings.find((setting) => setting.path === path.join("."));
  const origin = listen?.origin ?? { kind: "default" };
  return new ConfigError({ origin, path, reason: `cannot be: ${explain(taken)}`, mend, cause: taken });
}
