import { ConfigError, listeningOption, type ResolvedConfig } from "@lmserv/discovery-config";
import type { DiscoveryError } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";

/** Mistake in the option of a taken address to listen on; null for other failures. */
export function takenAddress(
  failures: readonly DiscoveryError[],
  { transports, settings }: ResolvedConfig,
): ConfigError | null {
  for (const failure of failures) {
    const transport = transports.find(({ name }) => name === failure.via);
    const option = transport && failure.code === "ADDRESS_IN_USE" ? listeningOption(transport.plugin) : null;
    if (!transport || !option) continue;
    const path = ["transports", transport.name, option.key];
    const origin = settings.find((setting) => setting.path === path.join("."))?.origin ?? { kind: "default" };
    const fix = `end the program that has it, or listen on another port: ${option.another}`;
    return new ConfigError({ origin, path, reason: `cannot be: ${explain(failure)}`, fix, cause: failure });
  }
  return null;
}
