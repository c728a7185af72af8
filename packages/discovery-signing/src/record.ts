import type { Auth, Scheme } from "@lmserv/discovery-core";
import {
  canonicalAddress,
  isLoopback,
  isNodeId,
  isPath,
  isPort,
  maxInfoBytes,
  parseAddress,
  type ResolvedAnnouncement,
} from "@lmserv/discovery-core/transport";
import { isHostAddress, type MachineMark, unknownMachine } from "@lmserv/discovery-network";
import { readMark } from "./machine-mark.ts";
import { dictionary, integer, list, matching, object, readObject, ShapeError, text } from "./shape.ts";

/** Version of a member's record: a later start wins, then a later record of that start. */
export interface Version {
  /** Grows with each start of the node. */
  readonly epoch: number;
  /** Grows with each change of the record. */
  readonly seq: number;
}

interface RecordHead extends Version {
  /** Mesh of the record, 1..64 visible ASCII characters. */
  readonly cluster: string;
  /** `idOf` the signing key. */
  readonly id: string;
  /** Lifetime without a renewal in ms, 1_000..86_400_000; a duration, since clocks differ. */
  readonly ttlMs: number;
}

/** Record of a present member and its nodes. */
export interface AliveRecord extends RecordHead {
  readonly kind: "alive";
  /**
   * Time of signing in ms since 1970, by the signer's clock; absent if the medium itself expires unrenewed
   * records.
   */
  readonly signedMs?: number;
  /** Random for each process: tells two processes with one key apart. */
  readonly instance: string;
  /** Addresses of its nodes' hosts, without zones, at most 16. Impossible ones are left out. */
  readonly addresses: readonly string[];
  /**
   * URLs of the member itself, `ws://` and `wss://`, at most 8. Those with impossible addresses are left out.
   */
  readonly urls: readonly string[];
  /** Mark of its machine: members of one machine may use addresses that others cannot. */
  readonly machine: MachineMark;
  /** At most 16. One whose `id` is the member's own is proven to be the member. */
  readonly nodes: readonly ResolvedAnnouncement[];
}

/** Tombstone: the member left in order. */
export interface LeftRecord extends RecordHead {
  readonly kind: "left";
}

export type MemberRecord = AliveRecord | LeftRecord;

/** Bound on a record, which stays in every member's memory and must fit a message of 64 KiB. */
export const maxRecordBytes = 16_384;
const maxAddresses = 16;
const maxUrls = 8;
const maxNodes = 16;
/** Bound on a list of APIs or models, and on attributes. */
export const maxItems = 64;
const maxUrlBytes = 300;
/** Bound on a host name (RFC 1035 section 2.3.4). */
const maxHostnameBytes = 253;
/** Bound on a name, a text or the value of an attribute. */
export const maxTextBytes = 255;
const dayMs = 86_400_000;

export const readCluster: (value: unknown, name: string) => string = matching(isClusterName, 64);
export const readId: (value: unknown, name: string) => string = matching(
  (id) => /^[0-9a-f]{32}$/.test(id),
  32,
);
export const readCount: (value: unknown, name: string) => number = integer(1);
const readInstance = matching((instance) => /^[0-9a-f]{16}$/.test(instance), 16);
const readTtl = integer(1_000, dayMs);
const readAddressTexts = list(matching(isAddress, 45), maxAddresses);
const readUrlTexts = list(matching(isUrl, maxUrlBytes), maxUrls);
const readNodes = list(readNode, maxNodes);
const readWords = list(text(maxTextBytes), maxItems);
const readAttributes = dictionary((key) => /^[\x20-\x3c\x3e-\x7e]+$/.test(key), text(maxTextBytes), maxItems);

/**
 * Parses a member's record, without checking its signature.
 *
 * @throws {ShapeError} for a text that cannot be a record.
 */
export function readRecord(json: string): MemberRecord {
  const value = readObject(json, maxRecordBytes);
  const head = {
    cluster: readCluster(value.cluster, "cluster"),
    id: readId(value.id, "id"),
    epoch: readCount(value.epoch, "epoch"),
    seq: readCount(value.seq, "seq"),
    ttlMs: readTtl(value.ttlMs, "ttlMs"),
  };
  if (value.kind === "left") return { kind: "left", ...head };
  if (value.kind !== "alive") throw new ShapeError("kind is neither alive nor left");
  return {
    kind: "alive",
    ...head,
    ...(value.signedMs !== undefined && { signedMs: readCount(value.signedMs, "signedMs") }),
    instance: readInstance(value.instance, "instance"),
    addresses: readAddresses(value.addresses),
    urls: readUrlTexts(value.urls, "urls").filter(isMemberUrl),
    machine: value.machine === undefined ? unknownMachine : readMark(value.machine, "machine"),
    nodes: readNodes(value.nodes, "nodes"),
  };
}

/** Impossible addresses are left out; loopback counts for members of one machine. */
function readAddresses(value: unknown): readonly string[] {
  const addresses = readAddressTexts(value, "addresses").map(canonicalAddress);
  return [...new Set(addresses)].filter(isMemberAddress);
}

function isAddress(text: string): boolean {
  return parseAddress(text) !== null;
}

/** A zone is valid on one host only. */
function isMemberAddress(address: string): boolean {
  return !address.includes("%") && (isLoopback(address) || isHostAddress(address));
}

/** Positive if `a` is later than `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

/** True for the id of a key: 32 lower-case hexadecimal digits. */
export function isKeyId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id);
}

function isClusterName(name: string): boolean {
  return /^[\x21-\x7e]{1,64}$/.test(name);
}

/** @throws {RangeError} unless the name has 1 to 64 visible ASCII characters. */
export function assertClusterName(name: string): void {
  if (isClusterName(name)) return;
  throw new RangeError(`cluster ${JSON.stringify(name)} must be 1 to 64 visible ASCII characters`);
}

/** True for a `ws://` or `wss://` URL with a host and perhaps a port only. */
export function isMemberUrl(url: string): boolean {
  if (!isUrl(url)) return false;
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  return isAddress(host) ? isMemberAddress(host) : /^[a-z0-9._-]{1,253}$/.test(host);
}

function isUrl(text: string): boolean {
  return /^wss?:\/\/[^\s/?#@]+\/?$/.test(text) && URL.canParse(text);
}

function readNode(value: unknown, name: string): ResolvedAnnouncement {
  const node = object(value, name);
  const { port, scheme, auth } = node;
  if (!isPort(port)) throw new ShapeError(`${name}.port is no port`);
  if (auth !== undefined && !isAuth(auth)) throw new ShapeError(`${name}.auth is neither none nor required`);
  if (scheme !== undefined && !isScheme(scheme))
    throw new ShapeError(`${name}.scheme is neither http nor https`);
  const optional = <T>(key: string, read: (value: unknown, name: string) => T): Record<string, T> =>
    node[key] === undefined ? {} : { [key]: read(node[key], `${name}.${key}`) };
  return {
    id: matching(isNodeId, 128)(node.id, `${name}.id`),
    port,
    info: text(maxInfoBytes)(node.info, `${name}.info`),
    ...optional("path", matching(isPath, maxInfoBytes)),
    ...optional("hostname", text(maxHostnameBytes)),
    ...optional("server", text(maxTextBytes)),
    ...optional("apis", readWords),
    ...optional("models", readWords),
    ...(node.modelsCut === true && { modelsCut: true }),
    ...optional("attributes", readAttributes),
    ...(scheme !== undefined && { scheme }),
    ...(auth !== undefined && { auth }),
  };
}

function isScheme(value: unknown): value is Scheme {
  return value === "http" || value === "https";
}

function isAuth(value: unknown): value is Auth {
  return value === "none" || value === "required";
}
