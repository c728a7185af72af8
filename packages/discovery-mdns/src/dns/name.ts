/**
 * Domain name as text: labels joined by dots, without the root's.
 *
 * A backslash escapes a dot or a backslash inside a label (RFC 6763 section 4.3), so that text and labels are
 * equivalent.
 */
export type Name = string;

/** RFC 1035 section 2.3.4. */
export const maxLabelBytes = 63;
/** Length on the wire, with the length bytes and the root's zero (RFC 1035 section 2.3.4). */
export const maxNameBytes = 255;

/** The name made of these labels, whatever they contain. */
export function joinLabels(labels: readonly string[]): Name {
  return labels.map((label) => label.replace(/[.\\]/g, "\\$&")).join(".");
}

export function splitLabels(name: Name): string[] {
  const labels = name.match(/(?:\\.|[^.\\])+/gs) ?? [];
  return labels.map((label) => label.replace(/\\(.)/gs, "$1"));
}

/** Key that equal names share: only ASCII letters lose their case (RFC 6762 section 16). */
export function nameKey(name: Name): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The longest start of `text` that takes at most `maxBytes` in UTF-8, never half a character. */
export function truncateUtf8(text: string, maxBytes: number): string {
  let kept = "";
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
