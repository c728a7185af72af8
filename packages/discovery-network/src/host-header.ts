import { isIP } from "node:net";

/** Host of a `Host` header (RFC 9110 section 7.2), in lower case and without a final dot, or null. */
export function parseHostHeader(header: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? "");
  return (match?.[1] ?? match?.[2]?.replace(/\.$/, ""))?.toLowerCase() ?? null;
}

/** True for an address or `localhost`, to which no page's owner can point a name (DNS rebinding). */
export function isOwnHost(host: string): boolean {
  return isIP(host) !== 0 || host === "localhost";
}

/** Names of a machine on a network: its host name, the first label, and that in `.local`. */
export function hostNames(hostname: string): readonly string[] {
  const whole = hostname.toLowerCase().replace(/\.$/, "");
  const [label = ""] = whole.split(".");
  return [...new Set([whole, label, `${label}.local`])];
}
