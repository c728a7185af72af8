import { maxValueBytes } from "@lmserv/discovery-store";
import { isObject } from "./etcd-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** Length of `maxValueBytes` in base64. */
const maxBase64 = Math.ceil(maxValueBytes / 3) * 4;

export interface KeyValue {
  /** Relative to the cluster; any text, since other writers may choose it. */
  readonly key: string;
  /** Empty for a value that cannot be an announcement. */
  readonly value: string;
}

/** Keys of one cluster, with the decoding of their values. */
export class Keyspace {
  /** Readable prefix for messages: `/lmserv/default/`. */
  readonly prefix: string;
  /** Range in base64, as etcd's JSON has it: the first key, and the first after all. */
  readonly range: { readonly key: string; readonly range_end: string };

  /** A slash in the cluster's name would make it a part of another cluster. */
  constructor(prefix: string, cluster: string) {
    this.prefix = `${prefix}${encodeURIComponent(cluster)}/`;
    const bytes = Buffer.from(this.prefix);
    const end = Buffer.from(bytes);
    // The last byte is a slash, which has a successor.
    end[end.length - 1] = 0x30;
    this.range = { key: bytes.toString("base64"), range_end: end.toString("base64") };
  }

  keyOf(relative: string): string {
    return Buffer.from(this.prefix + relative).toString("base64");
  }

  /** Entry of a key, or null for a foreign one. */
  entryOf(kv: unknown): KeyValue | null {
    const key = this.relative(kv);
    if (key === null || !isObject(kv)) return null;
    // Announcements are bound to a lease; a value without one would never end.
    const isLeased = typeof kv.lease === "string" && kv.lease !== "0";
    return { key, value: isLeased ? readText(kv.value, maxBase64) : "" };
  }

  relative(kv: unknown): string | null {
    const key = isObject(kv) ? readText(kv.key, maxBase64) : "";
    return key.startsWith(this.prefix) ? key.slice(this.prefix.length) : null;
  }
}

/** Empty for an invalid text. */
function readText(base64: unknown, maxLength: number): string {
  if (typeof base64 !== "string" || base64.length > maxLength) return "";
  try {
    return utf8.decode(Buffer.from(base64, "base64"));
  } catch {
    return "";
  }
}

/** Key right after another, for the next page. */
export function keyAfter(kv: unknown): string {
  const key = isObject(kv) && typeof kv.key === "string" ? kv.key : "";
  return Buffer.concat([Buffer.from(key, "base64"), Buffer.from([0])]).toString("base64");
}
