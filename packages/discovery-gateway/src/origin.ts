/** Schemes of applications that show pages of their own, as Ollama allows them. */
const applications: ReadonlySet<string> = new Set([
  "app:",
  "file:",
  "tauri:",
  "vscode-webview:",
  "vscode-file:",
]);
const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * True if a page of that origin may use the endpoint: one of an application or of this machine, or an allowed
 * one.
 *
 * `null` may be any page at all.
 */
export function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  const isWeb = protocol === "http:" || protocol === "https:";
  return isWeb ? loopback.has(hostname) : applications.has(protocol);
}

/** Headers that let a page of an allowed origin read the answer (Fetch, "CORS protocol"). */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "x-lmserv-node, x-lmserv-attempts, retry-after",
    vary: "origin",
  };
}

/** The same for a preflight. */
export function preflightHeaders(origin: string, requested: string | null): Readonly<Record<string, string>> {
  return {
    ...corsHeaders(origin),
    "access-control-allow-methods": "GET, HEAD, POST, DELETE",
    "access-control-max-age": "600",
    ...(requested !== null && { "access-control-allow-headers": requested }),
  };
}
