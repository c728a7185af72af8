import { DiscoveryError } from "@lmserv/discovery-core";
import { maxValueBytes } from "@lmserv/discovery-fleet";
import { JetStreamApiError, type JetStreamClient, StorageType } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";

/** Where the values of one cluster are kept. */
export interface Bucket {
  readonly kv: KV;
  readonly name: string;
  /** The stream behind it. */
  readonly stream: string;
  /** When it was made, as the server writes it: tells it from another one of that name. */
  readonly created: string;
  /** How long a value lives, in ms. */
  readonly lifetimeMs: number;
  /** Whether the server tells of values that ran out. */
  readonly tellsExpiry: boolean;
}

export interface BucketPlan {
  readonly cluster: string;
  readonly lifetimeMs: number;
  readonly replicas: number;
  /** For messages. */
  readonly place: string;
  readonly via: string;
}

/** The values of announcers; whatever else somebody keeps in the bucket is not looked at. */
export const keyPrefix = "n.";
/** The first release whose markers of ended values can be relied on. */
const markersSince = [2, 11, 2] as const;
/** What a message has beside its value. */
const maxHeaderBytes = 1_024;
/** Somebody else has just made a bucket with other properties. */
const nameInUse = 10_058;

/** The bucket of a cluster: letters, digits and `-` stand for themselves, anything else for its code in hexadecimal. */
export function bucketName(cluster: string): string {
  const escaped = cluster.replace(
    /[^A-Za-z0-9-]/g,
    (sign) => `_${sign.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `lmserv_${escaped}`;
}

/**
 * Finds the bucket, or makes it.
 *
 * @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when the one that is there keeps values for ever.
 */
export async function openBucket(
  js: JetStreamClient,
  plan: BucketPlan,
  serverVersion: string,
): Promise<Bucket> {
  const name = bucketName(plan.cluster);
  const kv = await createUnlessThere(js, name, plan, serverVersion);
  const { ttl, markerTTL, streamInfo } = await kv.status();
  if (ttl === 0) {
    const mend = `delete it (nats kv del ${name}), or give it an age (nats stream edit KV_${name} --max-age 30s)`;
    const message = `the bucket ${name} on ${plan.place} keeps values for ever, so that the dead would stay: ${mend}`;
    throw new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via: plan.via });
  }
  return {
    kv,
    name,
    stream: streamInfo.config.name,
    created: String(streamInfo.created),
    lifetimeMs: ttl,
    tellsExpiry: markerTTL > 0,
  };
}

async function createUnlessThere(
  js: JetStreamClient,
  name: string,
  { cluster, lifetimeMs, replicas }: BucketPlan,
  serverVersion: string,
): Promise<KV> {
  const options = {
    ttl: lifetimeMs,
    history: 1,
    storage: StorageType.File,
    replicas,
    maxValueSize: maxValueBytes + maxHeaderBytes,
    description: `LLM servers of the cluster ${cluster}`,
    ...(isAtLeast(serverVersion, markersSince) && { markerTTL: lifetimeMs }),
  };
  const kvm = new Kvm(js);
  try {
    return await kvm.create(name, options);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === nameInUse) return kvm.create(name, options);
    throw error;
  }
}

/** Whether a version such as `2.9.10` or `2.12.0-RC.1` is that one or later. */
export function isAtLeast(version: string, least: readonly [number, number, number]): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0, 0];
  const first = parts.findIndex((part, index) => part !== least[index]);
  return first < 0 || (parts[first] ?? 0) > (least[first] ?? 0);
}
