import type { DiscoveryErrorCode } from "./errors.ts";
import type { NodeHealth } from "./health.ts";

/** How much the description of a node is worth, best first. */
export type Trust = "signed" | "announced" | "identified";

/**
 * How an address is expected to answer from here, best first.
 *
 * `source`: announced, and the packet came from it. `on-link`: in a subnet of the receiving interface, or
 * where the packet came from when nothing announced is. `routed`: anything else that is not `link-local`
 * or `loopback`. `doubtful`: announced, but by all likelihood a bridge to the announcer's own containers; or where the
 * packet came from, perhaps a router only, while something announced is expected to answer. A link-local IPv6 address, whose zone says which link, may be a `source` as well, and still
 * comes after what is routed.
 */
export type Reach = "source" | "on-link" | "routed" | "doubtful" | "link-local" | "loopback";

export interface SeenAddress {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly address: string;
  readonly reach: Reach;
}

/** A node as one transport reports it, validated. */
export interface SeenNode {
  /** The announced identity, or null when the medium carries none. */
  readonly id: string | null;
  /**
   * The medium's own name of who announces, the same in all reports of one announcer, on whichever link and address
   * they were heard, and no other announcer's. Where `id` is null, it makes one node of them.
   *
   * @default unknown: then only a common endpoint does
   */
  readonly announcer?: string;
  readonly trust: Trust;
  /** 1..65535. */
  readonly port: number;
  readonly scheme: Scheme;
  /** Free text that names the node for people; may be empty. */
  readonly info: string;
  /** At least one. */
  readonly addresses: readonly SeenAddress[];
  /** The machine's host name, where the medium tells. */
  readonly hostname: string | null;
  /** Where the chat endpoint is, with its leading slash, or null when unknown. */
  readonly path: string | null;
  /** Which engine serves: `lmserv`, `ollama`, `llama.cpp`, `vllm`, ... or null when unknown. */
  readonly server: string | null;
  readonly apis: readonly string[];
  readonly models: readonly string[];
  /** Whether the server has more models than the report names. @default false */
  readonly modelsCut?: boolean;
  readonly auth: Auth | null;
  /** Key-value pairs as the medium gave them (mDNS: TXT). */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Protocol of a server: HTTP in the clear or over TLS. */
export type Scheme = "http" | "https";

/** Whether a server asks for credentials. */
export type Auth = "none" | "required";

/** What a node says of itself. */
export interface Announcement {
  /** Port of the server, integer, 1..65535. */
  readonly port: number;
  /** Free text for people, at most 250 bytes of UTF-8. @default "" */
  readonly info?: string;
  /** Identity, 1..128 visible ASCII characters but `:`. @default 128 random bits in hexadecimal */
  readonly id?: string;
  /** Name of the service instance, 1..63 bytes of UTF-8. @default made of `info` and random bits */
  readonly name?: string;
  /** Protocol of the server. @default "http" */
  readonly scheme?: Scheme;
  /** Path of the chat endpoint, with its leading slash, at most 250 bytes of UTF-8. @default unknown */
  readonly path?: string;
  /** The machine's host name. @default the one the system reports */
  readonly hostname?: string;
  /** Kind of server, such as `ollama`. @default unknown */
  readonly server?: string;
  readonly apis?: readonly string[];
  /** Names without commas; mDNS announces the first ones, as many as 248 bytes hold with commas between. */
  readonly models?: readonly string[];
  /** Whether the server has more models than `models` names. @default false */
  readonly modelsCut?: boolean;
  readonly auth?: Auth;
  /**
   * Addresses of this machine at which the server answers, 1..256 of IPv4 or IPv6; a link-local one may have its
   * `%zone`. Transports announce no other address of the machine, and nothing on a link that has none of them.
   *
   * @default every address of the machine
   */
  readonly addresses?: readonly string[];
  /** Further pairs: keys of printable ASCII without `=`, each `key=value` at most 255 bytes of UTF-8. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What one transport knows of a node. */
export interface NodeSource {
  readonly transport: string;
  /** The transport's own name of it. */
  readonly key: string;
  readonly trust: Trust;
  /** Monotonic ms of the injected clock. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Null: until it is gone, or the transport is lost. */
  readonly expiresMs: number | null;
  /** The same times as ISO 8601 in UTC. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string | null;
  /** Why the transport no longer confirms it: what it was lost by. Null while it does. */
  readonly stale: DiscoveryErrorCode | null;
  /** Whether the transport last heard of it by way of another node; a change of that alone is no news. */
  readonly relayed: boolean;
}

/**
 * One LLM server endpoint, merged from everything that the transports report of it.
 *
 * Its texts are `visibleText`; `attributes` are as the medium gave them.
 */
export interface NodeInfo {
  /** The announced identity, or `host:port` for a node that announces none. */
  readonly id: string;
  /** The address most likely to answer from here. */
  readonly host: string;
  readonly port: number;
  readonly info: string;
  readonly hostname: string | null;
  /** Every known address, most likely first. */
  readonly addresses: readonly string[];
  readonly path: string | null;
  readonly scheme: Scheme;
  /** `http://host:port/path`, or null when `host` cannot stand in a URL. */
  readonly url: string | null;
  /** `http://host:port`, or null when `host` cannot stand in a URL. */
  readonly baseUrl: string | null;
  /** Base URL for clients of OpenAI's API, such as `http://host:port/v1`, or null where it is not spoken. */
  readonly openaiUrl: string | null;
  readonly server: string | null;
  readonly apis: readonly string[];
  /** Names as announced; `health` has what the server itself lists. */
  readonly models: readonly string[];
  /** Whether `models` is only the first part of a longer list, as announcements have little room. */
  readonly modelsCut: boolean;
  readonly auth: Auth | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** Last check, or null when there was none, or no monitor is in use. */
  readonly health: NodeHealth | null;
  /** Whether this process announced it, or found it among the servers of its own machine. */
  readonly self: boolean;
  /** Best first; never empty. */
  readonly sources: readonly NodeSource[];
}
