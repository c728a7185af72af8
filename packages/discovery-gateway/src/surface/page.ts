import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Page with the headers that isolate it. */
export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads the page; it is one file, and only its own script and style run. */
export function readPage({ canExamine }: { readonly canExamine: boolean }): Page {
  const whole = readFileSync(new URL("../../src/surface/page.html", import.meta.url), "utf8");
  const html = canExamine ? whole.replace(' data-if="examine" hidden', "") : whole;
  const policy = [
    "default-src 'none'",
    "connect-src 'self'",
    `script-src '${hashOf(html, "script")}'`,
    `style-src '${hashOf(html, "style")}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ];
  return {
    html,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
      vary: "accept",
    },
  };
}

/** Hash of the only element of its kind (CSP level 3, section 2.3.1). */
function hashOf(html: string, element: "script" | "style"): string {
  const opening = html.indexOf(`<${element}`);
  const content = html.slice(html.indexOf(">", opening) + 1, html.indexOf(`</${element}>`, opening));
  return `sha256-${createHash("sha256").update(content).digest("base64")}`;
}
