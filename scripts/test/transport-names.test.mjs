import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../command.mjs";
import { listFiles } from "../workspace.mjs";

/** Rooms that know transports by their declarations alone. */
const general = [
  "apps/cli",
  ...["core", "config", "client", "gateway"].map((name) => `packages/discovery-${name}`),
];
/** The tables of data that name transports. */
const tables = ["apps/cli/src/config/plugins.ts", "packages/discovery-config/src/resolve/preset.ts"];

const files = listFiles();
const contentOf = (file) => readFileSync(join(root, file), "utf8");
const types = files.flatMap((file) => {
  const [, type] = /^packages\/discovery-(\w+)\/src\/plugin\.ts$/.exec(file) ?? [];
  return type && contentOf(file).includes("export const plugin:") ? [type] : [];
});
const sources = files.filter(
  (file) => file.endsWith(".ts") && general.some((folder) => file.startsWith(`${folder}/src/`)),
);

/** Lines with a word that is a transport's name, without comments and the examples of help. */
function mentions(file) {
  const text = contentOf(file).replace(/\/\*[\s\S]*?\*\//g, "");
  const lines = text.split("\n").filter((line) => !/^\s*(?:\/\/| {2}lmserv )/.test(line));
  const isNamed = (word) => types.includes(word.toLowerCase());
  return lines
    .filter((line) => line.match(/[A-Z]?[a-z]+/g)?.some(isNamed))
    .map((line) => `${file}: ${line.trim()}`);
}

test("code for a single transport is nowhere but in its package, names only in two tables", () => {
  expect(types).toEqual(expect.arrayContaining(["mdns", "arp", "mesh", "etcd", "nats"]));
  expect(sources.length).toBeGreaterThan(200);
  expect(tables.map((table) => mentions(table).length > 0)).toEqual([true, true]);
  expect(sources.filter((file) => !tables.includes(file)).flatMap(mentions)).toEqual([]);
});
