import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { json, type SeenRequest, say } from "@lmserv/test-near";
import { describe, expect, test } from "vitest";
import { site } from "./site.ts";

const lan = site();
const page = readFileSync(new URL("../../../docs/use-it-from.md", import.meta.url), "utf8");
const programs = [...page.matchAll(/^## ([^\n]+)\n+```js\n(.*?)^```$/gms)];
const address = "http://127.0.0.1:8740";

/** A server of both APIs, as Ollama is one. */
function answer(request: SeenRequest): void {
  if (request.url.startsWith("/v1/")) return say(request, "hello there");
  const message = { role: "assistant", content: "hello there" };
  json(request.response, 200, { model: "llama3", message, done: true });
}

describe("the page of clients", () => {
  test("has four programs", () => expect(programs.map(([, title]) => title)).toHaveLength(4));

  test.each(programs.map(([, title = "", text = ""]) => ({ title, text })))(
    "shows what works: $title",
    async ({ text }) => {
      const { url } = await lan.before(await lan.serve(answer));
      expect(text).toContain(address);
      // Lies next to the package, whose dependencies it uses.
      const file = fileURLToPath(new URL(`../node_modules/example-${randomUUID()}.mjs`, import.meta.url));
      writeFileSync(file, text.replaceAll(address, url));
      try {
        const { stdout } = await promisify(execFile)(process.execPath, [file]);
        expect(stdout).toBe("hello there");
      } finally {
        rmSync(file);
      }
    },
  );
});
