import { describe, expect, it } from "vitest";
import { ownPlugins } from "../src/plugins.ts";

// Programs without types call the factories themselves, and have no schema to look them over.

describe.each([...ownPlugins])("the factory of %s", (type, load) => {
  const make = async (options: unknown) => {
    const plugin = await load();
    return () => plugin.create(options as never, { name: type });
  };

  it("names an option that there is not, and the one that was meant", async () => {
    const { options } = await load();
    const schema = options["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
    for (const key of Object.keys(schema.properties ?? {})) {
      const misspelt = `${key}x`;
      expect(await make({ [misspelt]: "given" })).toThrow(TypeError);
      expect(await make({ [misspelt]: "given" })).toThrow(`${misspelt} is unknown; did you mean "${key}`);
    }
  });

  it("names an option of another type, and what is allowed", async () => {
    const { options } = await load();
    const schema = options["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
    for (const key of Object.keys(schema.properties ?? {})) {
      // A file has these as texts, and the factory of the mesh has not: its plug-in reads them.
      if (type === "mesh" && (key === "key" || key === "listen")) continue;
      for (const value of [Symbol("odd"), null]) {
        expect(await make({ [key]: value })).toThrow(TypeError);
        expect(await make({ [key]: value })).toThrow(new RegExp(`${key} must be `));
      }
    }
  });
});
