/** Resolved service in the output of `avahi-browse -pr`. */
export interface AvahiService {
  readonly interface: string;
  readonly family: "IPv4" | "IPv6";
  /** Instance name without the type. */
  readonly name: string;
  readonly type: string;
  readonly domain: string;
  /** SRV target. */
  readonly hostname: string;
  readonly address: string;
  readonly port: number;
  /** TXT strings in avahi's order. */
  readonly txt: readonly string[];
}

/** Parses a line that starts with `=`; null for any other. */
export function parseBrowseLine(line: string): AvahiService | null {
  const [event, iface, family, name, type, domain, hostname, address, port, ...txt] = line.split(";");
  if (event !== "=" || iface === undefined || name === undefined || type === undefined) return null;
  if (domain === undefined || hostname === undefined || address === undefined) return null;
  return {
    interface: iface,
    family: family === "IPv6" ? "IPv6" : "IPv4",
    name: unescaped(name),
    type,
    domain,
    hostname,
    address,
    port: Number(port),
    txt: parseTxt(txt.join(";")),
  };
}

/** `\ddd` is a decimal byte; a backslash quotes any other character. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\(\d{3})|\\(.)/g, (_, code: string | undefined, plain: string | undefined) =>
    code === undefined ? (plain ?? "") : String.fromCharCode(Number(code)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function parseTxt(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => unescaped(match[1] ?? ""));
}
