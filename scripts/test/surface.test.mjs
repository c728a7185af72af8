import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSurfaces, surfaceFolder } from "../surface.mjs";

test("the packages export what docs/api says; `npm run api` writes down a change", () => {
  const written = readdirSync(surfaceFolder).map((file) => [
    file,
    readFileSync(join(surfaceFolder, file), "utf8").split("\n"),
  ]);
  const found = [...readSurfaces()].map(([file, text]) => [file, text.split("\n")]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(written));
});
