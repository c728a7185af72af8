import { maxValueBytes } from "@lmserv/discovery-store";
import { isObject } from "./etcd-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** What `maxValueBytes` take as base64. */
const maxBase64 = Math.ceil(maxValueBytes / 3) * 4;

export interface KeyValue {
  /** Relative to the cluster; whatever somebody chose. */
  readonly key: string;
  /** The empty text for what cannot be an announcement. */
  readonly value: string;
}

/** The keys of one cluster, and what lies there. */
export class Keyspace {
  /** As people write it, for messages: `/lmserv/default/`. */
  readonly prefix: string;
  /** In base64, as etcd's JSON has it: the first key, and the first after all. */
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

  /** What etcd shows of a key, or null for what is none of ours. */
  entryOf(kv: unknown): KeyValue | null {
    const key = this.relative(kv);
    if (key === null || !isObject(kv)) return null;
    // Whoever announces is bound to a lease; what is not would never end.
    const isLeased = typeof kv.lease === "string" && kv.lease !== "0";
    return { key, value: isLeased ? readText(kv.value, maxBase64) : "" };
  }

  relative(kv: unknown): string | null {
    const key = isObject(kv) ? readText(kv.key, maxBase64) : "";
    return key.startsWith(this.prefix) ? key.slice(this.prefix.length) : null;
  }
}

/** The empty text for what is none. */
function readText(base64: unknown, maxLength: number): string {
  if (typeof base64 !== "string" || base64.length > maxLength) return "";
  try {
    return utf8.decode(Buffer.from(base64, "base64"));
  } catch {
    return "";
  }
}

/** The key that comes right after one, for the next page. */
export function keyAfter(kv: unknown): string {
  const key = isObject(kv) && typeof kv.key === "string" ? kv.key : "";
  return Buffer.concat([Buffer.from(key, "base64"), Buffer.from([0])]).toString("base64");
}
