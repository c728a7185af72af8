import type { PluginContext, Transport, TransportPlugin } from "@lmserv/discovery-core";
import type { Identity } from "@lmserv/discovery-identity";

/** Transports on an engine, in which everybody may look. */
const fleets: ReadonlySet<string> = new Set(["etcd", "nats"]);

/** Who a command is in every mesh, and in every fleet. */
export type MeshPart =
  | { readonly role: "observer" }
  | { readonly role: "member"; readonly identity: () => Promise<Identity> };

/** Whether a transport of this type signs what it announces. */
function signs(type: string): boolean {
  return type === "mesh" || fleets.has(type);
}

/** Gives the plug-ins of those that sign the part that the command plays; others stay as they are. */
export function withMeshPart(plugin: TransportPlugin, part: MeshPart): TransportPlugin {
  if (!signs(plugin.type) || (part.role === "observer" && fleets.has(plugin.type))) return plugin;
  const create = (options: unknown, context: PluginContext): Transport => {
    const own = { ...Object(options), ...(plugin.type === "mesh" && { role: part.role }) };
    // Mistakes show now, and an identity is only made for a mesh that is opened.
    const transport = plugin.create(own, context);
    if (part.role === "observer") return transport;
    return {
      name: transport.name,
      async open(opening, cancellable) {
        const identity = await part.identity();
        return plugin.create({ ...own, identity }, context).open(opening, cancellable);
      },
    };
  };
  return { ...plugin, create };
}
