import { createPrivateKey, X509Certificate } from "node:crypto";
import { withoutCredentials } from "@lmserv/discovery-core/transport";

/** Servers and login of a NATS system. */
export interface NatsStoreOptions {
  /**
   * Servers of one NATS system, 1 to 16: `nats://host:port`, `tls://host:port` (only encrypted) or
   * `host:port`. All addresses of a name are tried.
   *
   * @default nats://127.0.0.1:4222
   */
  readonly endpoints?: readonly string[];
  /** Text of a credentials file, `.creds`. */
  readonly credentials?: string;
  /** Seed of a user's NKey, `SU…`. */
  readonly nkey?: string;
  /** Name of a user, which needs a password. */
  readonly user?: string;
  readonly password?: string;
  /** Token, if the server asks for one. */
  readonly token?: string;
  /** PEM of the authority of the servers' certificates. @default those of Node */
  readonly ca?: string;
  /** PEM of our certificate and its key, if the server asks for one. @default none */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Count of a cluster's servers that keep a new bucket: 1, 3 or 5. @default 1 */
  readonly replicas?: number;
  /** Prefix of the subjects for answers, so that permissions can tell users apart. @default "_INBOX" */
  readonly inboxPrefix?: string;
}

/** Checked options. */
export interface Settings {
  /** As `host:port`. */
  readonly endpoints: readonly string[];
  readonly login: Login;
  /** Null if encryption is optional. */
  readonly tls: Tls | null;
  readonly replicas: number;
  readonly inboxPrefix: string;
}

/** Trusted authority, and our own certificate. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Login at the server. */
export type Login =
  | { readonly kind: "nobody" }
  | { readonly kind: "credentials"; readonly text: string }
  | { readonly kind: "nkey"; readonly seed: string }
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

const defaultServer = "nats://127.0.0.1:4222";
const defaultPort = 4_222;

/** @throws {TypeError | RangeError} for invalid options; the message never holds a secret. */
export function readSettings(options: NatsStoreOptions): Settings {
  const { endpoints = [defaultServer], replicas = 1, inboxPrefix = "_INBOX" } = options;
  if (![1, 3, 5].includes(replicas)) throw new RangeError(`replicas ${replicas} must be 1, 3 or 5`);
  if (!/^[\w-]{1,64}(?:\.[\w-]{1,64}){0,4}$/.test(inboxPrefix)) {
    throw new RangeError(`inboxPrefix ${JSON.stringify(inboxPrefix)} must be words with dots between them`);
  }
  const read = endpoints.map(readServer);
  return {
    endpoints: read.map(({ address }) => address),
    login: readLogin(options),
    tls: readTls(
      options,
      read.some(({ isEncrypted }) => isEncrypted),
    ),
    replicas,
    inboxPrefix,
  };
}

function readServer(text: string): { readonly address: string; readonly isEncrypted: boolean } {
  const url = /^[a-z]+:\/\//.test(text) ? text : `nats://${text}`;
  const [, scheme] = /^(nats|tls):\/\//.exec(url) ?? [];
  if (!scheme || !URL.canParse(url)) {
    throw new RangeError(
      `endpoints: a server must be nats://host:port, tls://host:port or host:port, not ${JSON.stringify(withoutCredentials(text))}`,
    );
  }
  const { hostname, port, username, password, pathname, search, hash } = new URL(url);
  if (username || password) {
    throw new RangeError(
      "endpoints: a server must not hold a user or a password; give them as options of their own",
    );
  }
  if (hostname === "" || (pathname !== "" && pathname !== "/") || search || hash) {
    throw new RangeError(
      `endpoints: a server must be a host and perhaps a port, not ${JSON.stringify(withoutCredentials(text))}`,
    );
  }
  return { address: `${hostname}:${port === "" ? defaultPort : port}`, isEncrypted: scheme === "tls" };
}

function readLogin({ credentials, nkey, user, password, token }: NatsStoreOptions): Login {
  const ways = { credentials, nkey, user, token };
  const given = Object.entries(ways).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length > 1) throw new TypeError(`${given.join(" and ")} exclude each other: one way to log in`);
  if ((user === undefined) !== (password === undefined)) {
    throw new TypeError("user and password are given together, or neither");
  }
  if (user !== undefined && password !== undefined) return { kind: "password", user, password };
  if (token !== undefined) return { kind: "token", token };
  if (nkey !== undefined) return { kind: "nkey", seed: readSeed(nkey) };
  if (credentials !== undefined) return { kind: "credentials", text: readCredentials(credentials) };
  return { kind: "nobody" };
}

function readSeed(nkey: string): string {
  const [seed] = /\bSU[A-Z2-7]{56}\b/.exec(nkey) ?? [];
  if (seed === undefined)
    throw new TypeError("nkey holds no seed of a user, which is SU and 56 more letters");
  return seed;
}

function readCredentials(text: string): string {
  if (/BEGIN NATS USER JWT/.test(text) && /BEGIN USER NKEY SEED/.test(text)) return text;
  throw new TypeError(
    "credentials must be the text of a .creds file, with a user JWT and an NKey seed in it",
  );
}

function readTls({ ca, tls }: NatsStoreOptions, isDemanded: boolean): Tls | null {
  check("ca", ca, (pem) => new X509Certificate(pem));
  check("tls.cert", tls?.cert, (pem) => new X509Certificate(pem));
  check("tls.key", tls?.key, (pem) => createPrivateKey(pem));
  if (!isDemanded && ca === undefined && tls === undefined) return null;
  return { ...(ca !== undefined && { ca }), ...tls };
}

function check(name: string, pem: string | undefined, parse: (pem: string) => unknown): void {
  if (pem === undefined) return;
  try {
    parse(pem);
  } catch (cause) {
    throw new TypeError(`${name} is no valid PEM`, { cause });
  }
}
