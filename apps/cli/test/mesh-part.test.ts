import { optionsSchema, type Transport, type TransportPlugin } from "@lmserv/discovery-core";
import { ephemeralIdentity } from "@lmserv/discovery-identity";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { withMeshPart } from "../src/mesh-part.ts";

const network = new MemoryNetwork();
const made: unknown[] = [];

function pluginOf(type: string): TransportPlugin {
  const create = (options: unknown, { name }: { readonly name: string }): Transport => {
    made.push(options);
    return { ...memory({ network, name }), open: () => Promise.reject(new Error("opened")) };
  };
  return { type, announces: true, options: optionsSchema<object>({}), create };
}

const identity = ephemeralIdentity(0);
const context = { name: "far" };
const cancellable = { signal: new AbortController().signal };

beforeEach(() => {
  made.length = 0;
});

describe("in a mesh", () => {
  it("who looks is an observer, whatever the file says", () => {
    const { name } = withMeshPart(pluginOf("mesh"), { role: "observer" }).create({ role: "member" }, context);
    expect(name).toBe("far");
    expect(made).toEqual([{ role: "observer" }]);
  });

  it("who announces is a member with the identity of the node, made only when it opens", async () => {
    let asked = 0;
    const part = {
      role: "member" as const,
      identity: async () => {
        asked++;
        return identity;
      },
    };
    const transport = withMeshPart(pluginOf("mesh"), part).create({ cluster: "lab" }, context);
    expect({ asked, made: [...made] }).toEqual({ asked: 0, made: [{ cluster: "lab", role: "member" }] });
    await expect(transport.open({} as never, cancellable)).rejects.toThrow("opened");
    expect(made.at(-1)).toEqual({ cluster: "lab", role: "member", identity });
  });

  it("of a fleet only who announces has an identity, and nobody a role", async () => {
    const part = { role: "member" as const, identity: async () => identity };
    const transport = withMeshPart(pluginOf("etcd"), part).create({ cluster: "lab" }, context);
    await expect(transport.open({} as never, cancellable)).rejects.toThrow("opened");
    expect(made.at(-1)).toEqual({ cluster: "lab", identity });
    const plugin = pluginOf("nats");
    expect(withMeshPart(plugin, { role: "observer" })).toBe(plugin);
  });

  it("others stay as they are", () => {
    const plugin = pluginOf("arp");
    expect(withMeshPart(plugin, { role: "observer" })).toBe(plugin);
  });
});
