/** Texts at which readers of JSON, of lines and of words stumble. */
export const fragments: readonly string[] = [
  ...['"__proto__"', '"__proto__":{"a":1},', '"constructor":{"prototype":1},', '"toString"', '"length":-1,'],
  ...["1e400", "-1e400", "-0", "1e-7", "9007199254740993", "4294967296", "-1", "0.1", "65536", "NaN", "00"],
  ...["null", "true", "[]", "{}", '""', "[[]]", "[null]", '{"":""}', '"0"', "undefined"],
  ...["{", "}", "[", "]", ",", ":", '"', "\\", "'", "/*", "*/", "//", "<!--", "="],
  // Halves of characters, with and without JSON's escapes; combining marks; characters that reverse or hide
  // text.
  ...["\ud800", "\udc00\ud83d", '"\\ud800"', '"\\udc00\\ud83d"', "\u0000", '"\\u0000"', "\ufeff", "\ufffe"],
  ...["\u202e", "\u2066", "\u200b", "\u{e0041}", "\u3164", `e${"\u0301".repeat(40)}`, "\u001b[2J", "\u2028"],
  ...[
    "\r",
    "\n",
    "\r\n\r\n",
    "\t",
    "\v",
    "\u0085",
    "\u00a0".repeat(2_000),
    " ".repeat(2_000),
    "\n".repeat(500),
  ],
  ...[
    "%00",
    "%ff",
    "../..",
    "//host.example",
    "::1",
    "0.0.0.0",
    "255.255.255.255",
    "fe80::1%eth0",
    "[::",
    "0x7f",
  ],
  ...["/", "\\\\host", "?", "#", "@", "http://u:p@h/", "ws://", "$HOME", "$(id)", "`id`"],
];

/** Deep and long texts, which expose recursion and quadratic time. */
export const heaps: readonly string[] = [
  "[".repeat(20_000),
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
  `"${"x".repeat(70_000)}"`,
  "\u00a0".repeat(15_800),
  "a ".repeat(20_000),
  `[${"0,".repeat(20_000)}0]`,
  `{${Array.from({ length: 3_000 }, (_, index) => `"${index}":0`).join()}}`,
  "\\".repeat(20_000),
  "-".repeat(20_000),
];
