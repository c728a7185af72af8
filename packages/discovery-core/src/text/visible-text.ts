/**
 * Characters that steer a terminal, turn text round, or are not seen: controls, ends of lines, bidi controls, halves of
 * characters, whatever Unicode lets a display ignore (zero-width characters, tags, fillers, variation selectors), and the
 * blank of Braille.
 */
const hidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2800]/u;
const stacking = /[\p{Mn}\p{Me}]/u;
/** Hebrew with all its points takes as many; more cover the lines above and below. */
const maxStacked = 4;

const [zeroWidthNonJoiner, zeroWidthJoiner, keycap] = ["\u200c", "\u200d", "\u20e3"];
const presentation = /[\ufe0e\ufe0f]/u;
const pictograph = /\p{Extended_Pictographic}/u;
const modifier = /\p{Emoji_Modifier}|\ufe0f/u;
/** Scripts whose letters join, so that the joiners change how they are written (RFC 5892 appendix A). */
const joining =
  /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}]/u;

/**
 * Text of strangers as it may be shown: each character that is hidden, and each mark beyond the fourth on one letter,
 * becomes U+FFFD, so that two texts that differ look different.
 *
 * Joiners within emoji and within scripts that need them stay, as everything does that is seen.
 *
 * @param replace - Makes what stands for a hidden character. @default U+FFFD
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

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return text
    .split("\n")
    .map((line) => visibleText(line))
    .join("\n");
}

function replacement(): string {
  return "\u{fffd}";
}

/** Whether a hidden character makes a difference that is seen. */
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
