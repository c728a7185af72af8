import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { checks } from "./codes.ts";
import { parseListen } from "./link/listen-address.ts";
import { type Settings, settings } from "./settings.ts";

/** What a configuration file chooses as `mesh`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mesh",
  announces: true,
  signs: true,
  checks,
  options: optionsSchema<Settings>(settings),
  keygen: {
    about: "Prepare a mesh: the transport for networks without multicast.",
    generate: async () => (await import("./link/cluster-key.ts")).generateKey(),
  },
  async create({ key, listen, ...options }, { name, identity }) {
    const { mesh } = await import("./transport.ts");
    return mesh({
      ...options,
      name,
      ...(key !== undefined && { keys: key }),
      ...(listen && { listen: listen.map(parseListen) }),
      // Who only looks observes, and who announces takes part, whatever a file says.
      ...(identity === null && { role: "observer" }),
      ...(identity && { role: "member", identity }),
    });
  },
};
