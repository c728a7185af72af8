/** Makes text of strangers fit for a terminal: what would steer it (control characters, bidi) becomes U+FFFD. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, "\u{fffd}");
}

/** Whether text holds characters that no name needs and that would steer a terminal. */
export function hasControls(text: string): boolean {
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}

/** Cuts text to `width` characters, the last of which tells that it was cut. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}\u{2026}`;
}
