import { isIP } from "node:net";
import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { checks } from "./codes.ts";
import type { ListenAddress } from "./link/listen-address.ts";
import { type Settings, settings } from "./settings.ts";
import { mesh } from "./transport.ts";

/** What a configuration file chooses as `mesh`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mesh",
  announces: true,
  checks,
  options: optionsSchema<Settings>(settings),
  create: ({ key, listen, ...options }, { name }) =>
    mesh({
      ...options,
      name,
      ...(key !== undefined && { keys: key }),
      ...(listen && { listen: listen.map(parseListen) }),
    }),
};

/** An address and a port, as in `0.0.0.0:7946` or `[::]:7946`. */
function parseListen(address: string): ListenAddress {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  if (isIP(host) === (bracketed === undefined ? 4 : 6) && port <= 65_535) return { host, port };
  throw new RangeError(
    `listen holds ${JSON.stringify(address)}, which is not an address and a port such as 0.0.0.0:7946 or [::]:7946`,
  );
}
