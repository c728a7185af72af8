import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { root, run } from "../command.mjs";
import { readPackages } from "../workspace.mjs";

const languages = ["README.md", "README.es.md"];
const texts = new Map(languages.map((file) => [file, readFileSync(join(root, file), "utf8")]));

/** The fenced blocks as `{ language, text }`, without the comments, which are for people. */
function blocksOf(file) {
  const fences = texts.get(file).matchAll(/^```(\w*)\n(.*?)^```$/gms);
  return [...fences]
    .filter(([, language]) => language !== "")
    .map(([, language, text]) => ({ language, text: text.replaceAll(/(^|\s+)(#|\/\/) .*$/gm, "") }));
}

/** Targets of links, headings of the page itself aside. */
function linksOf(file) {
  const links = [...texts.get(file).matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  return links.filter((target) => !target.startsWith("#") && !languages.includes(target));
}

/** As GitHub makes them of headings. */
function anchorsOf(text) {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase());
  return headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"));
}

/** True if a link of a page leads to a file, and to a heading in it if it names one. */
function isThere(target, file) {
  const [path, anchor] = target.split("#");
  const page = join(root, path === "" ? file : path);
  if (!existsSync(page)) return false;
  return anchor === undefined || anchorsOf(readFileSync(page, "utf8")).includes(anchor);
}

const command = join(root, "apps/cli/bin/lmserv.mjs");

function lmserv(...args) {
  return run([process.execPath, command, ...args], {
    env: { PATH: process.env.PATH, HOME: "/nonexistent" },
  });
}

test("the README says the same in Spanish: commands, files, programs, output, links, sections", () => {
  const [english, spanish] = languages;
  expect(blocksOf(spanish)).toEqual(blocksOf(english));
  expect(linksOf(spanish).sort()).toEqual(linksOf(english).sort());
  const count = (file) => texts.get(file).match(/^## /gm).length;
  expect(count(spanish)).toBe(count(english));
});

describe.each(languages)("%s", (file) => {
  test("links to what is there", () => {
    const targets = [...texts.get(file).matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
    expect(targets.filter((target) => !isThere(target, file))).toEqual([]);
  });

  test("lists every package", () => {
    for (const { name, folder } of readPackages()) {
      expect(texts.get(file)).toContain(`[\`${name}\`](${folder})`);
    }
  });
});

describe("what the README shows", () => {
  test.each(blocksOf("README.md").filter(({ language }) => language === "jsonc"))(
    "is a configuration that the command takes: $text",
    async ({ text }) => {
      const folder = mkdtempSync(join(tmpdir(), "lmserv-readme-"));
      try {
        const path = join(folder, "lmserv.config.jsonc");
        writeFileSync(path, text);
        const { stdout: secret } = await lmserv("mesh", "keygen");
        for (const [, name] of text.matchAll(/File": "([^"]+)"/g)) {
          writeFileSync(join(folder, name), name.endsWith(".pem") ? rootCertificates[0] : secret);
        }
        const { code, output } = await lmserv("config", "print", "--config", path);
        expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining("transports = ") });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  const shown = blocksOf("README.md")
    .filter(({ language }) => language === "sh" || language === "yaml")
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => line.match(/(?<=lmserv(\S*\.mjs)? )(announce|discover|doctor) .*/)?.slice(0, 1) ?? []);

  test("are commands, of which there are some", () => {
    expect(shown.length).toBeGreaterThan(5);
  });

  test.each(shown)("are options that the command has: %s", async (line) => {
    const [name, ...words] = line.trim().split(/\s+/);
    const { stdout } = await lmserv(name, "--help");
    const known = stdout.match(/--[a-z-]+/g);
    for (const option of words.filter((word) => word.startsWith("--"))) expect(known).toContain(option);
  });
});
