import stringWidth from "string-width";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const ellipsis = "\u{2026}";

/** Width of a text in cells of a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Fills a text with blanks up to `width` cells. */
export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Text of at most `width` cells, without its middle if it is longer: names differ at their ends. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width < 1) return "";
  const parts = [...graphemes.segment(text)].map(({ segment }) => segment);
  const headCells = Math.ceil((width - 1) / 2);
  const head = fitting(parts, headCells);
  const tail = fitting(parts.toReversed(), width - 1 - headCells).toReversed();
  return [...head, ellipsis, ...tail].join("");
}

/** First of several forms of a text that fits, or the last one without its middle. */
export function firstFitting(forms: readonly [string, ...string[]], width: number): string {
  return forms.find((form) => widthOf(form) <= width) ?? cutMiddle(forms.at(-1) ?? "", width);
}

/** First graphemes, as many as fit. */
function fitting(parts: readonly string[], cells: number): readonly string[] {
  let left = cells;
  const end = parts.findIndex((part) => {
    left -= widthOf(part);
    return left < 0;
  });
  return end === -1 ? parts : parts.slice(0, end);
}
