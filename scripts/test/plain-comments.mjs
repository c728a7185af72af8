import { parseSync } from "rolldown/utils";

/** Starts of a clause that has no subject and verb of its own. */
const heads = /^(?:who|whom|whose|what|whatever|whether|which|that which|how|why|where|wherever)\b/i;
/** Persons, where hosts, programs or packets act, and archaic words. */
const words =
  /\b(?:(?:some|any|no|every)body|whoever|beside|moreover|thereof|hence|whereof|whence|of itself)\b/gi;
/** Starts of a text within a comment: its own, and that of a parameter or a result. */
const starts = /^\s*|@(?:param \S+ - |returns )/g;

/** Faults in the comments of a source file: each clause without a subject and each refused word, as `word: file:line`. */
export function faultsOfComments(file, text) {
  return commentsOf(file, text).flatMap(({ at, body }) => {
    const begun = [...body.matchAll(starts)].flatMap(({ 0: { length }, index }) => {
      const [word] = body.slice(index + length).match(heads) ?? [];
      return word ? [word] : [];
    });
    const line = text.slice(0, at).split("\n").length;
    return [...begun, ...(body.match(words) ?? [])].map((word) => `${word.toLowerCase()}: ${file}:${line}`);
  });
}

/** Comments as one text each; consecutive lines of `//` are one comment. */
function commentsOf(file, text) {
  const found = [];
  for (const { type, value, start, end } of parseSync(file, text).comments) {
    const last = found.at(-1);
    const body = type === "Line" ? value : value.replace(/^\*|^\s*\*/gm, "");
    const goesOn = type === "Line" && last?.type === "Line" && /^\n[ \t]*$/.test(text.slice(last.end, start));
    if (goesOn) found.splice(-1, 1, { ...last, body: `${last.body}\n${body}`, end });
    else found.push({ type, at: start, body, end });
  }
  return found;
}
