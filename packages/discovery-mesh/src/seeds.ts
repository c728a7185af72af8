import dns from "node:dns/promises";
import { isIP } from "node:net";
import { formatEndpoint, withoutCredentials } from "@lmserv/discovery-core/transport";
import { lookupAll } from "./link/dialer.ts";
import { canBeDialled, isMeshUrl, parseMeshUrl } from "./link/mesh-url.ts";

/** The DNS, as far as seeds need it. */
export interface Names {
  /** Every address of a name. */
  lookup(name: string): Promise<readonly string[]>;
  /** Where a service is (RFC 2782). */
  resolveSrv(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

/** Somewhere to start from. */
export type Seed =
  | {
      readonly kind: "url";
      readonly url: string;
      readonly secure: boolean;
      readonly host: string;
      readonly port: number;
    }
  | { readonly kind: "srv"; readonly secure: boolean; readonly name: string };

const systemNames: Names = {
  lookup: lookupAll,
  // Looked up on each call, since who sets other servers gets another function.
  resolveSrv: (name) => dns.resolveSrv(name),
};

/** A name may have an address for each member. */
const maxUrlsPerSeed = 64;
const srvScheme = "dns+srv://";

/**
 * Reads `ws://host:port`, `wss://host:port` or `dns+srv://name`.
 *
 * @param encrypts - Whether what a service leads to is dialled over TLS: the DNS cannot say.
 * @throws {RangeError} for anything else.
 */
export function parseSeed(text: string, encrypts: boolean): Seed {
  if (!text.startsWith(srvScheme)) {
    const { secure, host, port } = parseMeshUrl(text);
    return { kind: "url", url: text, secure, host, port };
  }
  const name = text.slice(srvScheme.length).replace(/\/$/, "");
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)+\.?$/i.test(name) && name.length <= 253)
    return { kind: "srv", secure: encrypts, name };
  throw new RangeError(
    `${JSON.stringify(withoutCredentials(text))} is not like dns+srv://_lmserv-mesh._tcp.example.org`,
  );
}

/**
 * The URLs that a seed stands for now, one for each address.
 *
 * A name behind `wss` stays one, since certificates are for names; one of its addresses is dialled.
 *
 * @throws what the DNS says.
 */
export async function resolveSeed(seed: Seed, names: Names = systemNames): Promise<readonly string[]> {
  const urls = seed.kind === "srv" ? await resolveService(seed, names) : await resolveUrl(seed, names);
  // A name server may say anything, such as port 0.
  return [...new Set(urls)].filter(isMeshUrl).slice(0, maxUrlsPerSeed);
}

async function resolveService(seed: Seed & { readonly kind: "srv" }, names: Names): Promise<string[]> {
  const targets = await names.resolveSrv(seed.name);
  if (seed.secure) return targets.map((at) => `wss://${formatEndpoint(at.name, at.port)}`);
  const found = await Promise.all(
    targets.map(async ({ name, port }) => urlsAt(await addressesOf(name, names), port)),
  );
  return found.flat();
}

async function resolveUrl(seed: Seed & { readonly kind: "url" }, names: Names): Promise<readonly string[]> {
  const { url, secure, host, port } = seed;
  return secure || isIP(host) !== 0 ? [url] : urlsAt(await addressesOf(host, names), port);
}

async function addressesOf(name: string, names: Names): Promise<readonly string[]> {
  const addresses = isIP(name) === 0 ? await names.lookup(name) : [name];
  // A name server that blocks a name says that it is at 0.0.0.0, which leads to ourselves.
  return addresses.filter(canBeDialled);
}

function urlsAt(addresses: readonly string[], port: number): string[] {
  return addresses.map((address) => `ws://${formatEndpoint(address, port)}`);
}
