import { DiscoveryError } from "@lmserv/discovery-core";
import { maxValueBytes } from "@lmserv/discovery-store";
import { JetStreamApiError, type JetStreamClient, StorageType, type StreamInfo } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { millis } from "@nats-io/transport-node";
import { isBucketMissing } from "./error-mapping.ts";
import { type HedgedRetryOptions, hedgedRetry } from "./hedged-retry.ts";

/** Bucket with the values of one cluster. */
export interface Bucket {
  readonly kv: KV;
  readonly name: string;
  /** Stream of the bucket. */
  readonly stream: string;
  /** Lifetime of a value, in ms. */
  readonly lifetimeMs: number;
  /** True if the server reports expired values. */
  readonly tellsExpiry: boolean;
}

export interface BucketPlan {
  readonly cluster: string;
  readonly lifetimeMs: number;
  readonly replicas: number;
  /** True if a missing bucket is made. */
  readonly mayMake: boolean;
  /** Place of the server, for messages. */
  readonly place: string;
  readonly via: string;
}

/** Prefix of announcements; other keys of the bucket are ignored. */
export const keyPrefix = "n.";
/** First release with reliable markers of expired values. */
const markersSince = [2, 11, 2] as const;
/** Size of a message's headers, in bytes. */
const maxHeaderBytes = 1_024;
/**
 * Codes of a name or of subjects that are taken; of two processes that make one bucket at once, one gets
 * either.
 */
const taken: ReadonlySet<number> = new Set([10_058, 10_065]);

/**
 * Bucket of a cluster: letters, digits and `-` stand for themselves, other characters for their hexadecimal
 * code.
 */
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
 * @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when the existing one keeps values for ever.
 */
export async function openBucket(
  js: JetStreamClient,
  plan: BucketPlan,
  serverVersion: string,
  retry: HedgedRetryOptions,
): Promise<Bucket> {
  const name = bucketName(plan.cluster);
  const manager = await js.jetstreamManager(false);
  const look = (): Promise<StreamInfo> => manager.streams.info(`KV_${name}`);
  let making: Promise<Error | null> | null = null;
  const lookOrMake = (): Promise<StreamInfo> =>
    look().catch(async (error: unknown) => {
      if (!isBucketMissing(error) || !plan.mayMake) throw error;
      making ??= make(js, name, plan, serverVersion);
      const refusal = await making;
      return look().catch((still: unknown) => {
        throw refusal && isBucketMissing(still) ? refusal : still;
      });
    });
  const { config } = await hedgedRetry(lookOrMake, retry);
  const lifetimeMs = millis(config.max_age);
  if (lifetimeMs === 0) {
    const fix = `delete it (nats kv del ${name}), or give it an age (nats stream edit KV_${name} --max-age 30s)`;
    const message = `the bucket ${name} on ${plan.place} keeps values for ever, so that dead nodes would stay listed: ${fix}`;
    throw new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via: plan.via });
  }
  const kv = await new Kvm(js).open(name);
  const tellsExpiry = (config.subject_delete_marker_ttl ?? 0) > 0;
  return { kv, name, stream: config.name, lifetimeMs, tellsExpiry };
}

/**
 * Asks once, without a retry: a cluster that is asked again would write another time of creation.
 *
 * Resolves with null, or with the server's error if the name is taken. Another process may have made it
 * meanwhile; then it exists.
 */
async function make(
  js: JetStreamClient,
  name: string,
  { cluster, lifetimeMs, replicas }: BucketPlan,
  serverVersion: string,
): Promise<Error | null> {
  const options = {
    ttl: lifetimeMs,
    history: 1,
    storage: StorageType.File,
    replicas,
    maxValueSize: maxValueBytes + maxHeaderBytes,
    description: `LLM servers of the cluster ${cluster}`,
    ...(isAtLeast(serverVersion, markersSince) && { markerTTL: lifetimeMs }),
  };
  try {
    await new Kvm(js).create(name, options);
    return null;
  } catch (error) {
    if (error instanceof JetStreamApiError && taken.has(error.code)) return error;
    throw error;
  }
}

/** True if a version such as `2.9.10` or `2.12.0-RC.1` is that one or later. */
export function isAtLeast(version: string, least: readonly [number, number, number]): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0, 0];
  const first = parts.findIndex((part, index) => part !== least[index]);
  return first < 0 || (parts[first] ?? 0) > (least[first] ?? 0);
}
