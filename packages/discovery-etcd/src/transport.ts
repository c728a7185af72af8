import { assertOptions, type Transport, withoutCredentials } from "@lmserv/discovery-core/transport";
import { type StoreOptions, storeShapes, storeTransport } from "@lmserv/discovery-store";
import { settings } from "./settings.ts";
import { EtcdStore } from "./store.ts";

export interface EtcdOptions extends StoreOptions {
  /**
   * `http://host:port` or `https://host:port` of each server, asked in turn. @default
   * `["http://127.0.0.1:2379"]`
   */
  readonly endpoints?: readonly string[];
  /** User for etcd's authentication. @default none */
  readonly user?: string;
  readonly password?: string;
  /** PEM of the authority of the servers' certificates. @default those of Node */
  readonly ca?: string;
  /** PEM of our certificate and its key, if etcd asks for one. @default none */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Prefix of all keys; the cluster's name follows. @default "/lmserv/" */
  readonly prefix?: string;
}

const defaultServer = "http://127.0.0.1:2379";
const defaultPort = "2379";

/**
 * Finds and announces nodes through etcd 3.4 or newer, for fleets of thousands.
 *
 * @throws {TypeError | RangeError} for options of a wrong type or out of range.
 */
export function etcd(options: EtcdOptions = {}): Transport {
  assertOptions("etcd", options, { ...storeShapes, ...settings });
  const { endpoints = [defaultServer], user, password, ca, tls, prefix = "/lmserv/", ...shared } = options;
  if ((user === undefined) !== (password === undefined)) {
    throw new TypeError("user and password are given together, or neither");
  }
  if (!/^[\x21-\x7e]{1,200}\/$|^\/$/.test(prefix)) {
    throw new RangeError(
      `prefix ${JSON.stringify(prefix)} must be visible ASCII characters that end with "/"`,
    );
  }
  const store = new EtcdStore({
    endpoints: endpoints.map(parseServer),
    credentials: user === undefined || password === undefined ? null : { user, password },
    tls: { ...(ca !== undefined && { ca }), ...tls },
    prefix,
  });
  return storeTransport(store, shared);
}

/** @throws {RangeError} unless it is the URL of a server, and nothing more. */
function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isServer =
    url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "";
  if (!isServer || url.username !== "" || url.password !== "" || url.hash !== "") {
    throw new RangeError(
      `endpoints holds ${JSON.stringify(withoutCredentials(text))}, which is not like http://host:2379 or https://host:2379`,
    );
  }
  // etcd does not listen on the web's default ports, unless they are given.
  if (url.port === "" && !/:\d+\/?$/.test(text)) url.port = defaultPort;
  return url;
}
