import { isIP } from "node:net";

/** The host of a `Host` header (RFC 9110 section 7.2), in lower case and without a dot at its end, or null. */
export function parseHostHeader(header: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? "");
  return (match?.[1] ?? match?.[2]?.replace(/\.$/, ""))?.toLowerCase() ?? null;
}

/** Whether the host is an address or `localhost`, at which the owner of a page's name cannot point (DNS rebinding). */
export function isOwnHost(host: string): boolean {
  return isIP(host) !== 0 || host === "localhost";
}

/** What others on a network call a machine of that host name: as it stands, its first label, and that in `.local`. */
export function hostNames(hostname: string): readonly string[] {
  const whole = hostname.toLowerCase().replace(/\.$/, "");
  const [label = ""] = whole.split(".");
  return [...new Set([whole, label, `${label}.local`])];
}
