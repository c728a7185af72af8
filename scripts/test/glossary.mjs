import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "../command.mjs";

/** Comments, literals and templates: all that is no identifier. */
const noIdentifier =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?<=[=(,:!&|?;{}\n]\s*)\/(?![*/ ])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*|`(?:\\.|[^`\\])*`/g;

/** The rows of the table of words in ARCHITECTURE.md: term, meaning, and the words that it replaces. */
export function readGlossary(page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")) {
  const [, section = ""] = page.split("\n## Words\n");
  return section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => {
      const [term = "", meaning = "", replaced = ""] = line
        .split("|")
        .slice(1)
        .map((cell) => cell.trim());
      return {
        term,
        meaning,
        replaces: replaced
          .split(",")
          .map((word) => word.trim())
          .filter(Boolean),
      };
    });
}

/** Every use of a replaced word in the name of a file or an identifier, as `word: where`. */
export function replacedInCode(file, text, words) {
  const identifiers = text.replace(noIdentifier, " ").match(/[A-Za-z_$][\w$]*/g) ?? [];
  const names = [basename(file), ...new Set(identifiers)];
  return names.flatMap((name) =>
    humpsOf(name)
      .filter((hump) => words.has(hump))
      .map((hump) => `${hump}: ${file} ${name}`),
  );
}

/** Every line of a page that uses a replaced word; names in code, such as `mdns/interface-hampered`, stand. */
export function replacedInProse(file, text, words) {
  const pattern = new RegExp(`(?<![\\w/-])(${[...words].join("|")})(?![\\w-])`, "gi");
  return text
    .split("\n")
    .flatMap((line, index) =>
      (line.match(pattern) ?? []).map((word) => `${word.toLowerCase()}: ${file}:${index + 1}`),
    );
}

/** `openDNSCache` and `dns-cache.test.ts` as their words in lower case. */
function humpsOf(name) {
  return name
    .split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((hump) => hump.toLowerCase());
}
