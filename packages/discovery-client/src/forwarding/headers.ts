/** Headers by their names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Headers of one connection (RFC 9110 section 7.6.1), and those that each hop writes itself. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
/** Secrets of the client, and headers by which a node would take the request for one from its own page. */
const ofClient: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "api-key",
  "x-api-key",
  "cookie",
  "origin",
  "referer",
  "content-length",
]);

/** Headers for the next hop, without those of the connection and those that `Connection` names. */
export function endToEnd(
  headers: NodeJS.Dict<string | readonly string[]>,
): Record<string, string | string[]> {
  const named = String(headers.connection ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const passing: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || named.includes(name)) continue;
    passing[name] = typeof value === "string" ? value : [...value];
  }
  return passing;
}

/** Headers of a request to a node: without the client's secrets, with the node's own key. */
export function requestHeaders(headers: Headers, key: string | null): Record<string, string | string[]> {
  const passing = Object.entries(endToEnd(headers)).filter(
    ([name]) => !ofClient.has(name) && !name.startsWith("sec-") && !name.startsWith("x-lmserv-"),
  );
  return { ...Object.fromEntries(passing), ...(key !== null && { authorization: `Bearer ${key}` }) };
}
