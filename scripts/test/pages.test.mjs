import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, test } from "vitest";
import { root, run } from "../command.mjs";
import { readPackages } from "../workspace.mjs";

const translated = ["README.md", "docs/networks.md", "docs/troubleshooting.md"];
const spanishOf = (page) => page.replace(/\.md$/, ".es.md");
const textOf = (page) => readFileSync(join(root, page), "utf8");

/** Pages for readers of today; decisions and change logs keep the paths of their time. */
const pages = execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" })
  .trim()
  .split("\n")
  .filter(
    (page) => !/^docs\/adr\/|^\.(changeset|github)\/|CHANGELOG/.test(page) && existsSync(join(root, page)),
  );
const guides = pages.filter((page) => /^(README|docs\/[^/]+)\.md$/.test(page) && !page.endsWith(".es.md"));

/** The fenced blocks as `{ language, text }`, without the comments, which are for people. */
function blocksOf(page) {
  const fences = textOf(page).matchAll(/^```(\w*)\n(.*?)^```$/gms);
  return [...fences].map(([, language, text]) => ({
    language,
    text: text.replaceAll(/(^|\s+)(#|\/\/) .*$/gm, ""),
  }));
}

/** Targets of links outside of code: `path#anchor`. */
function linksOf(page) {
  const prose = textOf(page).replaceAll(/^```.*?^```$/gms, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  return links.filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors as GitHub makes them of headings. */
function anchorsOf(text) {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase());
  return headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"));
}

/** True for a link that leads to a file, and to a heading in it where it names one. */
function isThere(target, page) {
  const [path, anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || anchorsOf(textOf(file)).includes(decodeURIComponent(anchor));
}

const command = join(root, "apps/cli/bin/lmserv.mjs");

function lmserv(...args) {
  return run([process.execPath, command, ...args], {
    env: { PATH: process.env.PATH, HOME: "/nonexistent" },
  });
}

test("there are pages, and guides among them", () => {
  expect(pages.length).toBeGreaterThan(20);
  expect(guides.length).toBeGreaterThan(5);
});

test.each(pages)("%s links to pages and headings that are there", (page) => {
  expect(linksOf(page).filter((target) => !isThere(target, page))).toEqual([]);
});

describe.each(translated)("%s in Spanish", (page) => {
  const language = (target) => target.replace(/#.*/, "").replace(/\.es\.md$/, ".md");

  test("has the same commands, files, programs and output", () => {
    expect(blocksOf(spanishOf(page))).toEqual(blocksOf(page));
  });

  test("has the same links and as many sections", () => {
    expect(linksOf(spanishOf(page)).map(language).sort()).toEqual(linksOf(page).map(language).sort());
    const count = (file) => textOf(file).match(/^## /gm).length;
    expect(count(spanishOf(page))).toBe(count(page));
  });
});

test.each(["README.md", "README.es.md"])("%s fits a newcomer's patience: 150 lines", (page) => {
  expect(textOf(page).split("\n").length).toBeLessThanOrEqual(150);
});

test("ARCHITECTURE.md lists every package", () => {
  for (const { name, folder } of readPackages()) {
    expect(textOf("ARCHITECTURE.md")).toContain(`[\`${name}\`](${folder})`);
  }
});

const configurationsOf = (guide) => blocksOf(guide).filter(({ language }) => language === "jsonc");

/** Commands in blocks and in running text: `up --share`. */
function commandsOf(guide) {
  const lines = blocksOf(guide)
    .filter(({ language }) => ["sh", "yaml"].includes(language))
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
    .concat([...textOf(guide).matchAll(/`(lmserv [^`\n]+)`/g)].map(([, line]) => line));
  const command = /(?<=lmserv(\S*\.mjs)? )(up|announce|discover|doctor|gateway|env) .*/;
  return lines.flatMap((line) => line.match(command)?.slice(0, 1) ?? []);
}

test.each(guides.filter((guide) => configurationsOf(guide).length > 0))(
  "%s shows configurations that the command takes",
  async (guide) => {
    for (const { text } of configurationsOf(guide)) expect(await printed(text)).toContain("transports = ");
  },
);

test.each(guides.filter((guide) => commandsOf(guide).length > 0))(
  "%s shows options that the command has",
  async (guide) => {
    for (const line of commandsOf(guide)) {
      const [name, ...words] = line.trim().split(/\s+/);
      const { stdout } = await lmserv(name, "--help");
      const known = stdout.match(/--[a-z-]+/g);
      for (const option of words.filter((word) => word.startsWith("--"))) {
        expect(known, line).toContain(option);
      }
    }
  },
);

/** Output of `config print` for a configuration, next to the files that it names. */
async function printed(text) {
  const folder = mkdtempSync(join(tmpdir(), "lmserv-pages-"));
  try {
    const path = join(folder, "lmserv.config.jsonc");
    writeFileSync(path, text);
    const { stdout: secret } = await lmserv("mesh", "keygen");
    for (const [, name] of text.matchAll(/File": "([^"]+)"/g)) {
      writeFileSync(join(folder, name), name.endsWith(".pem") ? rootCertificates[0] : secret);
    }
    const { code, output } = await lmserv("config", "print", "--config", path);
    expect({ code, output }).toMatchObject({ code: 0 });
    return output;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
