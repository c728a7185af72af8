import { describe, expect, it } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";

// Programs without types call the factories themselves, without a schema to check the options.

describe.each([...ownPlugins])("the factory of %s", (type, plugin) => {
  const make = async (options: unknown) => plugin.create(options as never, { name: type });
  const schema = plugin.options["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};

  it("names an option that there is not, and the one that was meant", async () => {
    for (const key of Object.keys(schema.properties ?? {})) {
      const misspelt = `${key}x`;
      await expect(make({ [misspelt]: "given" })).rejects.toThrow(TypeError);
      await expect(make({ [misspelt]: "given" })).rejects.toThrow(
        `${misspelt} is unknown; did you mean "${key}`,
      );
    }
  });

  it("names an option of another type, and what is allowed", async () => {
    for (const key of Object.keys(schema.properties ?? {})) {
      // A file has these as texts, which the plug-in parses and the factory of the mesh does not.
      if (type === "mesh" && (key === "key" || key === "listen")) continue;
      for (const value of [Symbol("odd"), null]) {
        await expect(make({ [key]: value })).rejects.toThrow(TypeError);
        await expect(make({ [key]: value })).rejects.toThrow(new RegExp(`${key} must be `));
      }
    }
  });
});
