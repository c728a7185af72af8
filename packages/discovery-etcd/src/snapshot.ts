import { maxEntries } from "@lmserv/discovery-store";
import type { EtcdClient, Result } from "./client.ts";
import { EtcdError, isErrorKind, isObject, scalarText } from "./etcd-error.ts";
import { type Keyspace, type KeyValue, keyAfter } from "./keyspace.ts";

/** State of the store at a read. */
export interface Revision {
  readonly cluster: string;
  readonly number: number;
}

export interface Snapshot {
  readonly revision: Revision;
  readonly entries: readonly KeyValue[];
}

/** Values of some KiB each make a few MiB. */
const pageSize = 1_000;
/** Bound on keys, skipped ones included, so that reading ends whatever the store holds. */
const maxKeys = 10 * maxEntries;

/** Reads all of a cluster at one revision, page by page. */
export async function readSnapshot(
  client: EtcdClient,
  keyspace: Keyspace,
  signal: AbortSignal,
): Promise<Snapshot> {
  const entries: KeyValue[] = [];
  let revision: Revision | null = null;
  let limit = pageSize;
  let keys = 0;
  for (let key = keyspace.range.key; ; ) {
    const page: Page = await readPage(client, { ...keyspace.range, key }, { limit, revision, signal });
    revision ??= page.revision;
    limit = page.limit;
    for (const kv of page.kvs) {
      const entry = keyspace.entryOf(kv);
      if (entry) entries.push(entry);
    }
    keys += page.kvs.length;
    if (!page.more || entries.length >= maxEntries || keys >= maxKeys) break;
    const next = keyAfter(page.kvs.at(-1));
    if (compareKeys(next, key) <= 0) throw new EtcdError("rejected", "its keys do not ascend: it is no etcd");
    key = next;
  }
  return { revision, entries: entries.slice(0, maxEntries) };
}

/** etcd's order: by the bytes of the keys, which are base64 here. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, "base64"), Buffer.from(b, "base64"));
}

interface Page {
  readonly revision: Revision;
  readonly kvs: readonly unknown[];
  readonly more: boolean;
  readonly limit: number;
}

interface PageOptions {
  readonly limit: number;
  readonly revision: Revision | null;
  readonly signal: AbortSignal;
}

/**
 * Reads a page, smaller if values are huge; a value that is too large alone is read as a key without a value.
 */
async function readPage(
  client: EtcdClient,
  range: Keyspace["range"],
  { limit, revision, signal }: PageOptions,
): Promise<Page> {
  for (let size = limit; ; size = Math.floor(size / 8)) {
    const question = {
      ...range,
      limit: Math.max(size, 1),
      keys_only: size === 0,
      ...(revision && { revision: revision.number }),
    };
    try {
      const result = await client.call("/v3/kv/range", question, signal);
      const kvs = Array.isArray(result.kvs) ? result.kvs : [];
      return {
        revision: revisionOf(result),
        kvs,
        more: result.more === true && kvs.length > 0,
        limit: Math.max(size, 1),
      };
    } catch (error) {
      if (!isErrorKind(error, "oversized") || size === 0) throw error;
    }
  }
}

export function revisionOf({ header }: Result): Revision {
  const { cluster_id: cluster, revision } = isObject(header) ? header : {};
  return { cluster: scalarText(cluster), number: Number(scalarText(revision)) };
}
