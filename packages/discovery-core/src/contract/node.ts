import type { DiscoveryErrorCode } from "./errors.ts";
import type { NodeHealth } from "./health.ts";

/** Trust in the description of a node, best first. */
export type Trust = "signed" | "announced" | "identified";

/**
 * Expected way in which an address answers from here, best first.
 *
 * `source`: announced, and the source of a packet. `on-link`: in a subnet of the receiving interface, or the
 * source of a packet if no announced address is. `routed`: any other that is not `link-local` or `loopback`.
 * `doubtful`: announced, but most likely a bridge to the announcer's own containers; or the source of a
 * packet, perhaps a router, while an announced address is expected to answer. A link-local IPv6 address with
 * its zone may be a `source` as well, and still follows routed ones.
 */
export type Reach = "source" | "on-link" | "routed" | "doubtful" | "link-local" | "loopback";

export interface SeenAddress {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly address: string;
  readonly reach: Reach;
}

/** Node as one transport reports it, validated. */
export interface SeenNode {
  /** Announced identity, or null if the medium carries none. */
  readonly id: string | null;
  /**
   * Medium's own name of the announcer.
   *
   * It is equal in all reports of one announcer, on any link and address, and no other announcer has it. If
   * `id` is null, it merges them into one node.
   *
   * @default unknown: then only a common endpoint merges them
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
  /** Host name of the machine, if the medium tells. */
  readonly hostname: string | null;
  /** Path of the chat endpoint, with its leading slash, or null if unknown. */
  readonly path: string | null;
  /** Kind of server: `lmserv`, `ollama`, `llama.cpp`, `vllm`, ... or null if unknown. */
  readonly server: string | null;
  readonly apis: readonly string[];
  readonly models: readonly string[];
  /** True if the server has more models than the report names. @default false */
  readonly modelsCut?: boolean;
  readonly auth: Auth | null;
  /** Key-value pairs of the medium, unchanged (mDNS: TXT). */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Protocol of a server: plain HTTP, or HTTP over TLS. */
export type Scheme = "http" | "https";

/** Need of a server for credentials. */
export type Auth = "none" | "required";

/** Description of a node by its owner. */
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
  /** Host name of the machine. @default the one the system reports */
  readonly hostname?: string;
  /** Kind of server, such as `ollama`. @default unknown */
  readonly server?: string;
  readonly apis?: readonly string[];
  /** Names without commas; mDNS announces the first ones, up to 248 bytes with their commas. */
  readonly models?: readonly string[];
  /** True if the server has more models than `models` names. @default false */
  readonly modelsCut?: boolean;
  readonly auth?: Auth;
  /**
   * Addresses of this machine at which the server answers, 1..256 of IPv4 or IPv6; a link-local one may have
   * its `%zone`.
   *
   * Transports announce no other address of the machine, and nothing on a link that has none of them.
   *
   * @default every address of the machine
   */
  readonly addresses?: readonly string[];
  /** Further pairs: keys of printable ASCII without `=`, each `key=value` at most 255 bytes of UTF-8. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Knowledge of one transport about a node. */
export interface NodeSource {
  readonly transport: string;
  /** Name of the node within the transport. */
  readonly key: string;
  readonly trust: Trust;
  /** Monotonic ms of the injected clock. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Null for a source without a deadline, which ends with a goodbye or its transport. */
  readonly expiresMs: number | null;
  /** The same times as ISO 8601 in UTC. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string | null;
  /** Error by which its transport was lost; null while the transport confirms it. */
  readonly stale: DiscoveryErrorCode | null;
  /** True if the latest report came by way of another node; a change of that alone is no news. */
  readonly relayed: boolean;
}

/**
 * LLM server endpoint, merged from the reports of all transports.
 *
 * Its texts are `visibleText`; `attributes` are unchanged.
 */
export interface NodeInfo {
  /** Announced identity, or `host:port` for a node without one. */
  readonly id: string;
  /** Address most likely to answer from here. */
  readonly host: string;
  readonly port: number;
  readonly info: string;
  readonly hostname: string | null;
  /** Every known address, most likely first. */
  readonly addresses: readonly string[];
  readonly path: string | null;
  readonly scheme: Scheme;
  /** `http://host:port/path`, or null if a URL cannot contain `host`. */
  readonly url: string | null;
  /** `http://host:port`, or null if a URL cannot contain `host`. */
  readonly baseUrl: string | null;
  /**
   * Base URL for clients of OpenAI's API, such as `http://host:port/v1`, or null if the server does not speak
   * it.
   */
  readonly openaiUrl: string | null;
  readonly server: string | null;
  readonly apis: readonly string[];
  /** Announced names; `health` has the server's own list. */
  readonly models: readonly string[];
  /** True if `models` is only the first part of a longer list, since announcements have little room. */
  readonly modelsCut: boolean;
  readonly auth: Auth | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** Last check, or null without a check or without a monitor. */
  readonly health: NodeHealth | null;
  /** True if this process announced it, or found it among the servers of its own machine. */
  readonly self: boolean;
  /** Best first; never empty. */
  readonly sources: readonly NodeSource[];
}
