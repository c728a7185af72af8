import { utf8Text } from "@lmserv/discovery-core/transport";
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { ConfigError } from "../config-error.ts";
import { primaryType } from "../resolve/preset.ts";
import type { Origin } from "../settings/origin.ts";
import { type Group, groupOf, type Path, plain, type Setting } from "../settings/setting.ts";

/** Bound on the file: a thousand transports take less. */
const maxLength = 262_144;
/** Bound on the depth: options are nested a few deep, and the parser is recursive. */
const maxDepth = 64;

/**
 * Parses JSON with comments, with the place of each value in the file.
 *
 * @throws {ConfigError} for anything else, also a trailing comma and a duplicate key.
 */
export function parseDocument(text: string, file: string): Group {
  const document = new Document(decoded(text, file), file);
  document.assertSize();
  const errors: ParseError[] = [];
  const root = parseTree(document.text, errors, { allowTrailingComma: false, allowEmptyContent: true });
  const [first] = errors;
  if (first) throw document.syntaxError(first);
  const setting = root && document.settingOf(root, document.originAt(root.offset), []);
  if (setting?.kind === "group") return setting;
  throw new ConfigError({
    origin: document.originAt(0),
    path: [],
    reason: "the file holds no object",
    fix: `the least is { "version": 1, "transports": { "${primaryType}": {} } }`,
  });
}

/** A space replaces a byte order mark, so that columns stay those of an editor. */
function decoded(text: string, file: string): string {
  try {
    return text.startsWith("\uFEFF") ? ` ${utf8Text(text)}` : utf8Text(text);
  } catch (error) {
    const origin: Origin = { kind: "file", file, line: 1, column: 1 };
    const reason = `the file ${error instanceof Error ? error.message : error}`;
    throw new ConfigError({ origin, path: [], reason, fix: "save it as UTF-8", cause: error });
  }
}

class Document {
  readonly text: string;
  readonly #file: string;
  /** Offsets of the lines. */
  readonly #lines: readonly number[];

  constructor(text: string, file: string) {
    this.text = text;
    this.#file = file;
    this.#lines = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  }

  originAt(offset: number): Origin {
    let [line, end] = [0, this.#lines.length];
    while (end - line > 1) {
      const middle = (line + end) >>> 1;
      if ((this.#lines[middle] ?? 0) <= offset) line = middle;
      else end = middle;
    }
    return { kind: "file", file: this.#file, line: line + 1, column: offset - (this.#lines[line] ?? 0) + 1 };
  }

  /** @throws {ConfigError} for a text that is too long or nested too deep. */
  assertSize(): void {
    const fix = "give the file that was meant: a configuration is a few lines";
    if (this.text.length > maxLength) {
      const reason = `the file has ${this.text.length} characters, and ${maxLength} are allowed`;
      throw new ConfigError({ origin: this.originAt(0), path: [], reason, fix });
    }
    const scanner = createScanner(this.text, true);
    let depth = 0;
    for (scanner.scan(); scanner.getTokenOffset() < this.text.length; scanner.scan()) {
      // The first character of a token tells a bracket from a text that contains one.
      const first = this.text.charAt(scanner.getTokenOffset());
      if ("{[".includes(first)) depth += 1;
      if ("}]".includes(first)) depth -= 1;
      if (depth <= maxDepth) continue;
      const origin = this.originAt(scanner.getTokenOffset());
      throw new ConfigError({ origin, path: [], reason: `it is nested more than ${maxDepth} deep`, fix });
    }
  }

  /** @param origin - Place of the key, if there is one. */
  settingOf(node: Node, origin: Origin, path: Path): Setting {
    if (node.type === "object") return this.#groupOf(node, origin, path);
    return { kind: "value", value: this.#valueOf(node, path), origin };
  }

  #groupOf({ children = [] }: Node, origin: Origin, path: Path): Group {
    const entries = new Map<string, Setting>();
    for (const { children: [key, value] = [], offset } of children) {
      if (!key || !value) continue;
      const name: string = key.value;
      const own = this.originAt(offset);
      const earlier = entries.get(name);
      if (earlier) throw duplicate([...path, name], own, earlier.origin);
      entries.set(name, this.settingOf(value, own, [...path, name]));
    }
    return groupOf(entries, origin);
  }

  /** Items of a list are plain values, since lists are replaced as a whole. */
  #valueOf(node: Node, path: Path): unknown {
    const { children = [] } = node;
    if (node.type === "array")
      return children.map((item, index) => this.#valueOf(item, [...path, `${index}`]));
    if (node.type !== "object") return node.value;
    return plain(this.#groupOf(node, this.originAt(node.offset), path));
  }

  syntaxError({ error, offset }: ParseError): ConfigError {
    const comma = this.#lastTokenBefore(offset);
    const closer = this.text[offset];
    if (this.text[comma] === "," && (closer === "}" || closer === "]")) {
      return new ConfigError({
        origin: this.originAt(comma),
        path: [],
        reason: `a comma stands before "${closer}"`,
        fix: "delete it: JSON has no trailing commas",
      });
    }
    return new ConfigError({
      origin: this.originAt(offset),
      path: [],
      // The text itself is not shown: the file may be the wrong one, such as a key.
      reason: syntaxReasons[printParseErrorCode(error)] ?? "this is no JSON",
      fix: "the file is JSON, in which // and /* */ comments are allowed",
    });
  }

  /** Start of the last token before a place, comments aside. */
  #lastTokenBefore(offset: number): number {
    const scanner = createScanner(this.text, true);
    let last = 0;
    for (scanner.scan(); scanner.getTokenOffset() < offset; scanner.scan()) last = scanner.getTokenOffset();
    return last;
  }
}

const syntaxReasons: Readonly<Record<string, string>> = {
  PropertyNameExpected: "a key in double quotes is missing",
  ValueExpected: "a value is missing",
  ColonExpected: "a colon is missing",
  CommaExpected: "a comma is missing",
  CloseBraceExpected: 'a "}" is missing',
  CloseBracketExpected: 'a "]" is missing',
  EndOfFileExpected: "the file should have ended",
  UnexpectedEndOfComment: "a comment has no end",
  UnexpectedEndOfString: "a text has no closing quote",
};

function duplicate(path: Path, origin: Origin, earlier: Origin): ConfigError {
  const line = earlier.kind === "file" ? ` in line ${earlier.line}` : "";
  const isTransport = path.length === 2 && path[0] === "transports";
  return new ConfigError({
    origin,
    path,
    reason: `stands here for the second time, and first${line}`,
    fix: isTransport
      ? 'give the second transport a name of its own, and its kind as "type"'
      : "keep one of the two",
  });
}
