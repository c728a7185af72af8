import { assertOptions, type Transport, withoutCredentials } from "@lmserv/discovery-core/transport";
import { type StoreOptions, storeShapes, storeTransport } from "@lmserv/discovery-store";
import { settings } from "./settings.ts";
import { EtcdStore } from "./store.ts";

export interface EtcdOptions extends StoreOptions {
  /** `http://host:port` or `https://host:port` of each server, asked in turn. @default `["http://127.0.0.1:2379"]` */
  readonly endpoints?: readonly string[];
  /** Who we are, where etcd asks for it. @default nobody */
  readonly user?: string;
  readonly password?: string;
  /** PEM of the authority of the servers' certificates. @default those that Node knows */
  readonly ca?: string;
  /** PEM of our certificate and its key, where etcd asks for one. @default none */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** What all keys begin with; the cluster's name follows. @default "/lmserv/" */
  readonly prefix?: string;
}

const defaultServer = "http://127.0.0.1:2379";
const defaultPort = "2379";

/**
 * Fleets of thousands: finds and announces nodes through etcd 3.4 or newer.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
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
  // The defaults of the web are nobody's etcd, unless they are asked for.
  if (url.port === "" && !/:\d+\/?$/.test(text)) url.port = defaultPort;
  return url;
}
