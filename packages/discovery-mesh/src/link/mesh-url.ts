import { isIP } from "node:net";
import { isLoopback, withoutCredentials } from "@lmserv/discovery-core/transport";
import { isHostAddress } from "@lmserv/discovery-network";

/** Where a member listens: `ws://host:port` or `wss://host:port`, and nothing behind it. */
export interface MeshUrl {
  readonly secure: boolean;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where on an HTTP server the mesh is. */
export const meshPath = "/lmserv-mesh";
/** RFC 6455 section 1.9; with its version, so that a later one can be told apart. */
export const meshSubprotocol = "lmserv-mesh.1";

/** A DNS name of 253 characters with all around it. */
const maxUrlChars = 280;

/**
 * Reads the URL of a member.
 *
 * @throws {RangeError} when it is none, has a path, a query or credentials, or leads to an address that no host has.
 */
export function parseMeshUrl(text: string): MeshUrl {
  const url = URL.canParse(text) && text.length <= maxUrlChars ? new URL(text) : null;
  if (url === null || !/^wss?:$/.test(url.protocol)) {
    throw new RangeError(
      `${JSON.stringify(withoutCredentials(text).slice(0, maxUrlChars))} is not like ws://host:port or wss://host:port`,
    );
  }
  if (
    `${url.username}${url.password}${url.search}${url.hash}` !== "" ||
    !["/", meshPath].includes(url.pathname)
  ) {
    throw new RangeError(`${JSON.stringify(withoutCredentials(text))} has more than a host and a port`);
  }
  const secure = url.protocol === "wss:";
  const port = Number(url.port || (secure ? 443 : 80));
  if (port === 0)
    throw new RangeError(
      `${JSON.stringify(withoutCredentials(text))} has port 0, but 1 to 65535 are allowed`,
    );
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !canBeDialled(host)) {
    throw new RangeError(
      `${JSON.stringify(withoutCredentials(text))} leads to ${host}, which no host has; name the host's own address`,
    );
  }
  return { secure, host, port };
}

/** Whether an address leads to one host, be it this one. */
export function canBeDialled(address: string): boolean {
  return isHostAddress(address) || isLoopback(address);
}

export function isMeshUrl(text: string): boolean {
  try {
    parseMeshUrl(text);
    return true;
  } catch {
    return false;
  }
}
