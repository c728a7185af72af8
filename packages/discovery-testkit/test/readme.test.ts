import { readFile } from "node:fs/promises";
import { transportRules } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";

const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

test("the README shows the example that runs here", async () => {
  const [, example] = /```ts\n(.*?)```/s.exec(await read("../README.md")) ?? [];
  expect(example).toBe(await read("./example.test.ts"));
});

test("the README lists the rules there are, in order", async () => {
  const readme = await read("../README.md");
  const listed = readme.slice(readme.indexOf("## The rules")).matchAll(/^\| `([^`]+)` +\| (.+?) +\|$/gm);
  const rules = [...listed].map(([, id, title]) => ({ id, title }));
  expect(rules).toEqual(transportRules.map(({ id, title }) => ({ id, title })));
});
