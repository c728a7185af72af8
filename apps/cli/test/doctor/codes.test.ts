import { readFileSync } from "node:fs";
import { discoveryErrorCodes } from "@lmserv/discovery-core";
import { sharedChecks } from "@lmserv/discovery-core/transport";
import { expect, test } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";
import { hostChecks } from "../../src/doctor/environment.ts";

const plugins = [...ownPlugins.values()];

/** Sections of a page: the codes of each heading, and the first paragraph. */
function sectionsOf(file: string) {
  const page = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), "utf8");
  const sections = page.split(/^## /m).slice(1);
  return sections.map((section) => {
    const [heading = "", paragraph = ""] = section.split("\n\n");
    return {
      codes: [...heading.matchAll(/`([^`]+)`/g)].map(([, code]) => code),
      text: paragraph.replaceAll("\n", " "),
    };
  });
}

test("`docs/doctor.md` has a heading for each code that is declared, with its verdict and meaning, and no other", () => {
  const declared = new Map([
    ...Object.entries(sharedChecks),
    ...plugins.flatMap(({ type, checks = {} }) =>
      Object.entries(checks).map(([word, kind]) => [`${type}/${word}`, kind] as const),
    ),
    ...Object.entries(hostChecks).map(([word, kind]) => [`host/${word}`, kind] as const),
  ]);
  const sections = sectionsOf("doctor.md");
  expect(sections.flatMap(({ codes }) => codes).sort()).toEqual([...declared.keys()].sort());
  for (const { codes, text } of sections) {
    for (const code of codes) {
      const [verdict, meaning] = declared.get(code ?? "") ?? [];
      expect(text.startsWith(`Verdict: ${verdict}. ${meaning}`), code).toBe(true);
    }
  }
});

test("`docs/errors.md` has a heading for each code, shared or declared, and no other", () => {
  const declared = new Map<string, string>(
    plugins.flatMap(({ type, warnings = {} }) =>
      Object.entries(warnings).map(([word, meaning]) => [`${type}/${word}`, meaning]),
    ),
  );
  const sections = sectionsOf("errors.md");
  const codes = sections.flatMap(({ codes }) => codes);
  expect(codes.sort()).toEqual([...discoveryErrorCodes, ...declared.keys()].sort());
  for (const { codes, text } of sections) {
    for (const code of codes) expect(text.startsWith(declared.get(code ?? "") ?? ""), code).toBe(true);
  }
});
