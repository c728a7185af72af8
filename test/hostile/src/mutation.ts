import fc, { type Arbitrary } from "fast-check";
import { fragments, heaps } from "./fragments.ts";

/** Edit of one place of a text. */
interface Edit {
  readonly kind: "replace" | "insert" | "remove" | "repeat" | "swap" | "cut" | "key";
  /** Index of the token, wrapped to their count. */
  readonly at: number;
  readonly to: number;
  readonly fragment: string;
}

const places = fc.nat(65_535);
const edit: Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom("replace", "replace", "replace", "insert", "remove", "repeat", "swap", "cut", "key"),
  at: places,
  to: places,
  fragment: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...fragments) },
    { weight: 6, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
    { weight: 6, arbitrary: fc.integer().map(String) },
    { weight: 1, arbitrary: fc.constantFrom(...heaps) },
  ),
});

/** JSON string, word, white space, or any other character. */
const token = /"(?:[^"\\]|\\.)*"|[\w.:%-]+|[^\S\n]+|./gs;

/** Valid text with a few damaged tokens: most of it still parses to its end, with a wrong content. */
export function hostileText(valid: Arbitrary<string>): Arbitrary<string> {
  return fc
    .tuple(valid, fc.array(edit, { maxLength: 4 }))
    .map(([text, edits]) => edits.reduce(applyEdit, text));
}

function applyEdit(text: string, { kind, at, to, fragment }: Edit): string {
  const tokens = text.match(token) ?? [];
  const [index, other] = [at % (tokens.length + 1), to % (tokens.length + 1)];
  const [from, end] = index < other ? [index, other] : [other, index];
  switch (kind) {
    case "replace":
      return [...tokens.slice(0, index), fragment, ...tokens.slice(index + 1)].join("");
    case "insert":
      return [...tokens.slice(0, index), fragment, ...tokens.slice(index)].join("");
    case "remove":
      return [...tokens.slice(0, from), ...tokens.slice(end)].join("");
    // Duplicates the keys of an object.
    case "repeat":
      return [...tokens.slice(0, end), ...tokens.slice(from)].join("");
    case "swap":
      return [...tokens.slice(0, from), ...tokens.slice(end), ...tokens.slice(from, end)].join("");
    case "cut":
      return tokens.slice(0, index).join("");
    case "key":
      return withKey(tokens, index, fragment);
  }
}

/** Gives the object around a place one more key, which another object may have, or none should. */
function withKey(tokens: readonly string[], index: number, fragment: string): string {
  const open = tokens.lastIndexOf("{", index);
  const names = ["__proto__", "id", "nodes", "type", "data", "version", "transports", "\\ud800"];
  const pair = `"${names[index % names.length]}":${fragment === "" ? "0" : fragment},`;
  return [...tokens.slice(0, open + 1), pair, ...tokens.slice(open + 1)].join("");
}

interface ByteEdit {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly skip: number;
}

/** Stray continuation, overlong zero, surrogate, unfinished character, invalid byte. */
const noUtf8 = [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f], [0xff, 0xfe]].map((one) =>
  Uint8Array.from(one),
);
const byteEdit: Arbitrary<ByteEdit> = fc.record({
  at: places,
  bytes: fc.oneof(fc.constantFrom(...noUtf8), fc.uint8Array({ maxLength: 6 })),
  skip: fc.constantFrom(0, 0, 1, 2, 40, 65_536),
});

/** Bytes of hostile text, damaged once more. */
export function hostileBytes(valid: Arbitrary<string>): Arbitrary<Buffer> {
  return fc.tuple(hostileText(valid), fc.array(byteEdit, { maxLength: 2 })).map(([text, edits]) =>
    edits.reduce((bytes, { at, bytes: put, skip }) => {
      const index = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, index), put, bytes.subarray(index + skip)]);
    }, Buffer.from(text)),
  );
}

/** Decodes as a reader of files does: invalid UTF-8 is replaced. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
