import { visibleText } from "@lmserv/discovery-core";

/** Versions and names of APIs are shorter. */
const maxWordLength = 128;

/** Text of a server as it is passed on. */
export function clean(text: string): string {
  return visibleText(text.trim());
}

/** Short name or version, cleaned; null if it is no text, empty, or too long. */
export function readWord(value: unknown, maxLength: number = maxWordLength): string | null {
  if (typeof value !== "string" || value.length > maxLength) return null;
  return clean(value) || null;
}

/** Words of a list, each once, at most `maxCount`. */
export function readWords(
  values: readonly unknown[],
  maxCount: number,
  maxLength?: number,
): readonly string[] {
  const words = new Set<string>();
  for (const value of values) {
    const word = readWord(value, maxLength);
    if (word !== null) words.add(word);
    if (words.size === maxCount) break;
  }
  return [...words];
}

/** Longest start in whole characters that fits into `maxBytes` of UTF-8. */
export function cutToBytes(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
