/**
 * Text for people without possible passwords: `http://user:secret@host` becomes `http://…@host`, and
 * `user:secret@host` becomes `…@host`.
 */
export function withoutCredentials(text: string): string {
  return text.includes("@") ? text.replace(/[^\s"'`<>()]+/g, hidden) : text;
}

/** Word without the part between its scheme, or its beginning, and its last `@`. */
function hidden(word: string): string {
  const end = word.lastIndexOf("@");
  const scheme = word.indexOf("//");
  if (scheme !== -1 && scheme < end) return `${word.slice(0, scheme + "//".length)}…${word.slice(end)}`;
  const before = word.slice(0, Math.max(end, 0));
  // A word with slashes is a path.
  return before.includes(":") && !/[/\\]/.test(before) ? `…${word.slice(end)}` : word;
}
