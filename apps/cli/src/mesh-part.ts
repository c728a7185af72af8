import type { PluginContext, Transport, TransportPlugin } from "@lmserv/discovery-core";
import type { Identity } from "@lmserv/discovery-identity";

/** Who a command is in every mesh. */
export type MeshPart =
  | { readonly role: "observer" }
  | { readonly role: "member"; readonly identity: () => Promise<Identity> };

/** Gives the plug-in of the mesh the part that the command plays; others stay as they are. */
export function withMeshPart(plugin: TransportPlugin, part: MeshPart): TransportPlugin {
  if (plugin.type !== "mesh") return plugin;
  const create = (options: unknown, context: PluginContext): Transport => {
    const own = { ...Object(options), role: part.role };
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
