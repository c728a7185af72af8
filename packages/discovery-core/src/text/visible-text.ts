/**
 * Characters that steer a terminal, reverse text, or are invisible.
 *
 * They are controls, ends of lines, bidi controls, halves of characters, and the blank of Braille. So are all
 * that Unicode lets a display ignore: zero-width characters, tags, fillers, variation selectors.
 */
const hidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2800]/u;
const stacking = /[\p{Mn}\p{Me}]/u;
/** Bound on stacked marks, those of fully pointed Hebrew; more cover the lines above and below. */
const maxStacked = 4;

const [zeroWidthNonJoiner, zeroWidthJoiner, keycap] = ["\u200c", "\u200d", "\u20e3"];
const presentation = /[\ufe0e\ufe0f]/u;
const pictograph = /\p{Extended_Pictographic}/u;
const modifier = /\p{Emoji_Modifier}|\ufe0f/u;
/** Scripts whose letters join, so that joiners change their form (RFC 5892 appendix A). */
const joining =
  /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}]/u;

/**
 * Foreign text in a form that is safe to show.
 *
 * Each hidden character, and each mark beyond the fourth on one letter, becomes U+FFFD, so that different
 * texts look different. Joiners within emoji and within scripts that need them stay, as do all visible
 * characters.
 *
 * @param replace - Makes the replacement of a hidden character. @default U+FFFD
 */
export function visibleText(text: string, replace: (character: string) => string = replacement): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const characters = [...text];
  let stacked = 0;
  return characters
    .map((character, index) => {
      if (hidden.test(character)) return isNeeded(characters, index) ? character : replace(character);
      stacked = stacking.test(character) ? stacked + 1 : 0;
      const isBare = stacked > 0 && index === 0;
      return isBare || stacked > maxStacked ? replace(character) : character;
    })
    .join("");
}

/** Same as `visibleText`, for text of several lines. */
export function visibleLines(text: string): string {
  return text
    .split("\n")
    .map((line) => visibleText(line))
    .join("\n");
}

function replacement(): string {
  return "\u{fffd}";
}

/** True if a hidden character makes a visible difference. */
function isNeeded(characters: readonly string[], index: number): boolean {
  const character = characters[index] ?? "";
  const [before = "", after = ""] = [characters[index - 1], characters[index + 1]];
  if (presentation.test(character))
    return pictograph.test(before) || (/[\d#*]/.test(before) && after === keycap);
  if (character !== zeroWidthJoiner && character !== zeroWidthNonJoiner) return false;
  if (joining.test(before) && joining.test(after)) return true;
  const base = modifier.test(before) ? (characters[index - 2] ?? "") : before;
  return character === zeroWidthJoiner && pictograph.test(base) && pictograph.test(after);
}
