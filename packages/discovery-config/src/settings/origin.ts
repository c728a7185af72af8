/** Origin of a value, strongest first. */
export type Origin =
  | { readonly kind: "flag"; readonly flag: string }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "preset"; readonly preset: string }
  | { readonly kind: "default" };

/**
 * Formats `--transport`, `LMSERV_PRESET`, `/etc/lmserv/lmserv.config.jsonc:7:5`, `preset office` or
 * `default`.
 */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
      return origin.flag;
    case "environment":
      return origin.variable;
    case "file":
      return `${origin.file}:${origin.line}:${origin.column}`;
    case "preset":
      return `preset ${origin.preset}`;
    case "default":
      return "default";
  }
}
