import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSurfaces, surfaceFolder } from "./surface.mjs";

const surfaces = [...readSurfaces()];

test.each(surfaces)(
  "%s says what the package exports; `npm run api` writes down a change",
  async (file, text) => {
    await expect(text).toMatchFileSnapshot(join(surfaceFolder, file));
  },
);

test("docs/api says nothing else", () => {
  expect(readdirSync(surfaceFolder).sort()).toEqual(surfaces.map(([file]) => file).sort());
});
