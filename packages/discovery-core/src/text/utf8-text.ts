/** Byte order mark, or every other byte zero, and either read as UTF-8. */
const utf16 = /^(?:\uFFFD\uFFFD|[^\0]\0[^\0]\0|\0[^\0]\0[^\0])/;

/**
 * Text of a file that was read as UTF-8, without its byte order mark.
 *
 * @throws {RangeError} for a file in UTF-16 or in no encoding of text. The message is a predicate about the
 * file, and never holds its text.
 */
export function utf8Text(text: string): string {
  if (utf16.test(text)) {
    throw new RangeError("is UTF-16, as Windows PowerShell writes with >, and not UTF-8");
  }
  if (text.includes("\0")) throw new RangeError("is binary, and not text in UTF-8");
  return text.replace(/^\uFEFF/, "");
}
