import { expect, test } from "vitest";
import { importsOf, packageOf } from "./imports.mjs";

test("finds what compiled files import", () => {
  const text = [
    'import "a";',
    'import { b1, b2 as b3 } from "b";',
    'import c from "./c.js";',
    'export * from "d";',
    'export { e, } from "../e.js";',
    'export declare const f: import("f").F;',
    'const g = await import("g");',
    "import {",
    "    h1,",
    "    h2,",
    '} from "h";',
    'export const i = "from";',
    'console.log("import", "x");',
    '/* A comment tells: import x from "x". */',
    'import{j}from"j";const k=()=>import(`./k.js`);export{j};',
    'const l = [new URL("l.html", import.meta.url), new URL("m", "http://localhost")];',
  ].join("\n");
  expect(importsOf(text).sort()).toEqual([
    "../e.js",
    "./c.js",
    "./k.js",
    "a",
    "b",
    "d",
    "f",
    "g",
    "h",
    "j",
    "l.html",
  ]);
});

test("tells the package of an import", () => {
  const specifiers = ["ws", "ws/lib/x.js", "@a/b", "@a/b/c/d", "./e.js", "../f.js", "node:fs", "fs/promises"];
  expect(specifiers.map(packageOf)).toEqual(["ws", "ws", "@a/b", "@a/b", null, null, null, null]);
});
