import { expect, it } from "vitest";
import { valueAt } from "../src/http/json.ts";

it.each([
  ["", { a: [{ b: 1 }] }],
  ["/a/0/b", 1],
  ["/a/1/b", undefined],
  ["/a/0/b/c", undefined],
  ["/constructor/name", undefined],
  ["/a/map/length", undefined],
  ["/__proto__", undefined],
])("a pointer leads to what is there, and to nothing inherited: %j", (pointer, value) => {
  expect(valueAt({ a: [{ b: 1 }] }, pointer)).toEqual(value);
});
