import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../command.mjs";
import { readProjects } from "../workspace.mjs";
import { expressionsOf, faultsOf } from "./expressions.mjs";

const sources = readProjects()
  .filter(({ folder }) => /^(packages|apps)\//.test(folder))
  .flatMap(({ folder }) => filesOf(join(folder, "src")));

function filesOf(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));
}

describe("regular expressions of the sources", () => {
  test("read every text in linear time", () => {
    const found = sources.flatMap((file) =>
      expressionsOf(readFileSync(join(root, file), "utf8")).map((one) => ({ file, ...one })),
    );
    expect(found.length).toBeGreaterThan(100);
    const refused = found.flatMap(({ file, ...one }) => {
      const faults = faultsOf(one);
      return faults.length > 0 ? [`${file}: /${one.source}/${one.flags}: ${faults.join("; ")}`] : [];
    });
    expect(refused).toEqual([]);
  });

  test("are found wherever they stand", () => {
    const code = `
      const one: RegExp = /a/gu;
      export class C { #x = [/b/]; f<T>(t: T = /c/ as T) { return "d".replace(new RegExp("e" + t), RegExp(\`f\`)); } }
      // /g/ "/h/"
    `;
    expect(expressionsOf(code).map(({ source, flags }) => `${source}/${flags}`)).toEqual([
      "a/gu",
      "b/",
      "c/",
      "null/",
      "null/",
    ]);
  });
});

const refused = [
  /\s+$/,
  /\s*;.*$/s,
  /^\s*(.*?)\s*$/,
  /^[^;]*;\s*charset=\s*(.*?)\s*$/,
  /(a+)+$/,
  /^(?:x+x+)+y/,
  /^(a|a)*$/,
  /^(?:a|ab|b)*$/,
  /(\w|\d)+x/,
  /^(a?){20}a{20}$/,
  /^(a{0,20}){0,20}b/,
  /a.*a.*b/,
  /\d+\d+$/,
  /argument '.*@/s,
];

test.each(refused)("%s is refused", (expression) => {
  expect(faultsOf(expression)).not.toEqual([]);
});

const allowed = [
  /^\d+$/,
  /\s+/,
  /:\d+$/,
  /(?:\\.|[^.\\])+/gs,
  /^[a-z]+(\.[a-z]+)*$/,
  /<title>[^<]*Lemonade/,
  /^(.*) \((\d{1,9})\)$/s,
  /[\p{Cc}\p{Zl}]/gu,
];

test.each(allowed)("%s is allowed", (expression) => {
  expect(faultsOf(expression)).toEqual([]);
});
