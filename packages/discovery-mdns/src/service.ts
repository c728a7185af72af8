import type { Auth, Scheme } from "@lmserv/discovery-core";
import { isNodeId, isPath, type ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { joinLabels, maxLabelBytes, type Name, nameKey, splitLabels, truncateUtf8 } from "./dns/name.ts";
import { type Attributes, decodeTxt, encodeTxt } from "./dns/txt.ts";

export const serviceType: Name = "_lmserv._tcp.local";
/** Name that lists only some instances of the type (RFC 6763 section 7.1). */
export function subtypeName(subtype: string): Name {
  return joinLabels([`_${subtypeOf(subtype)}`, "_sub", ...splitLabels(serviceType)]);
}

/** Lists the service types on the link (RFC 6763 section 9). */
export const enumerationName: Name = "_services._dns-sd._udp.local";

/** Lifetimes of records that name a host, and of all others, in s (RFC 6762 section 10). */
export const hostTtlS = 120;
export const otherTtlS = 4_500;

/** Node in the form of DNS-SD. */
export interface Service {
  readonly instance: Name;
  /** True if a user chose the instance's name, so that another host may have it too. */
  readonly chosen: boolean;
  /** Name of this service alone, never the machine's `.local` name, which the system's responder owns. */
  readonly host: Name;
  readonly port: number;
  /** Addresses at which the server answers, or null for every address of this machine. */
  readonly addresses: readonly string[] | null;
  readonly txt: readonly Uint8Array[];
  /** Server kinds whose narrower lists contain the instance as well. */
  readonly subtypes: readonly string[];
}

/**
 * Service of a node.
 *
 * A generated name ends in 80 random bits and may go unprobed (RFC 6762 section 8.1).
 *
 * @throws {RangeError} for a name or TXT value that cannot be encoded.
 */
export function serviceOf(node: ResolvedAnnouncement, hostname: string, entropy: string): Service {
  const label = node.name ?? defaultLabel(node.info || hostname, entropy);
  assertInstanceLabel(label);
  return {
    instance: joinLabels([label, ...splitLabels(serviceType)]),
    chosen: node.name !== undefined,
    host: joinLabels([`lmserv-${entropy}`, "local"]),
    port: node.port,
    addresses: node.addresses ?? null,
    txt: encodeTxt(attributesOf(node, hostname)),
    subtypes: node.server === undefined ? [] : [node.server],
  };
}

/** Service under the next name to try: `name`, `name (2)`, `name (3)`. */
export function renamed(service: Service): Service {
  const [label = ""] = splitLabels(service.instance);
  const [, base = label, count = "1"] = /^(.*) \((\d{1,9})\)$/s.exec(label) ?? [];
  const suffix = ` (${Number(count) + 1})`;
  const next = `${truncateUtf8(base, maxLabelBytes - suffix.length)}${suffix}`;
  return { ...service, instance: joinLabels([next, ...splitLabels(serviceType)]) };
}

/** Name of a server kind as a label: `llama.cpp` is listed under `_llama-cpp`. */
function subtypeOf(server: string): string {
  const label = server.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return truncateUtf8(label.replace(/^-|-$/g, "") || "other", maxLabelBytes - 1);
}

/** Dots are legal in an instance name, but several browsers cut the name at the first. */
function defaultLabel(text: string, entropy: string): string {
  const readable = text.replace(/[.\p{Cc}]+/gu, "-");
  return `${truncateUtf8(readable, maxLabelBytes - entropy.length - 1)}-${entropy}`;
}

/** RFC 6763 section 4.1.1. */
function assertInstanceLabel(label: string): void {
  const bytes = Buffer.byteLength(label);
  if (bytes < 1 || bytes > maxLabelBytes || /[\p{Cc}\p{Cs}]/u.test(label)) {
    throw new RangeError(
      `name ${JSON.stringify(label)} must take 1 to ${maxLabelBytes} bytes of UTF-8 without control characters`,
    );
  }
}

/** `info` comes first: the Python original reads no other key, and lists no node without it. */
function attributesOf(node: ResolvedAnnouncement, hostname: string): Attributes {
  const { info, id, scheme, path, server, apis = [], models = [], auth, attributes = {} } = node;
  const named = firstOf("models", models);
  const own: Attributes = {
    info,
    id,
    ...(path !== undefined && { path }),
    host: node.hostname ?? hostname,
    ...(server !== undefined && { server }),
    ...(scheme === "https" && { scheme }),
    ...(apis.length > 0 && { apis: firstOf("apis", apis).join(",") }),
    ...(named.length > 0 && { models: named.join(",") }),
    ...((node.modelsCut || named.length < models.length) && { more: "models" }),
    ...(auth && { auth }),
  };
  const taken = Object.keys(attributes).find((key) => Object.hasOwn(own, key.toLowerCase()));
  if (taken !== undefined) {
    throw new RangeError(`attribute ${JSON.stringify(taken)} has a field of its own in the announcement`);
  }
  return { ...own, ...attributes };
}

/**
 * First items, as many as one TXT string holds with its key (RFC 6763 section 6.1); none if the first is
 * longer.
 */
function firstOf(key: string, items: readonly string[]): readonly string[] {
  const impossible = items.find((item) => item === "" || item.includes(","));
  if (impossible !== undefined) {
    throw new RangeError(
      `${key} holds ${JSON.stringify(impossible)}; an item must not be empty or contain a comma`,
    );
  }
  const maxBytes = 255 - key.length - "=".length;
  let bytes = 0;
  const excess = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(item) + (index > 0 ? ",".length : 0);
    return bytes > maxBytes;
  });
  return excess === -1 ? items : items.slice(0, excess);
}

/** Fields that TXT gives a node; invalid values count as absent. */
export interface Description {
  readonly id: string | null;
  readonly info: string;
  readonly hostname: string | null;
  readonly path: string | null;
  readonly scheme: Scheme;
  readonly server: string | null;
  readonly apis: readonly string[];
  readonly models: readonly string[];
  readonly modelsCut: boolean;
  readonly auth: Auth | null;
  readonly attributes: Attributes;
}

export function describe(txt: readonly Uint8Array[]): Description {
  const attributes = decodeTxt(txt);
  const { id = "", info = "", host = "", path = "", server = "", apis, models, more, auth } = attributes;
  const original = isOriginal(attributes) ? originalServer : null;
  return {
    id: isNodeId(id) ? id : null,
    info,
    hostname: host || null,
    path: isPath(path) ? path : (original?.path ?? null),
    scheme: attributes.scheme === "https" ? "https" : "http",
    server: server || (original?.server ?? null),
    apis: listOf(apis),
    models: listOf(models),
    modelsCut: listOf(more).includes("models"),
    auth: auth === "none" || auth === "required" ? auth : null,
    attributes,
  };
}

/** Server of the Python original, which sends nothing but `info`. */
const originalServer = { path: "/chat", server: "lmserv" } as const;

function isOriginal(attributes: Attributes): boolean {
  return Object.keys(attributes).join() === "info";
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((item) => item !== "");
}

/** First label of an instance's name, which is unique in its type. */
export function instanceLabel(instance: Name): string {
  return splitLabels(instance)[0] ?? "";
}

/** True if `name` is an instance of the service type. */
export function isInstance(name: Name): boolean {
  const [, ...type] = splitLabels(name);
  return nameKey(joinLabels(type)) === serviceType;
}
