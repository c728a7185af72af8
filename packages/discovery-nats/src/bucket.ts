import { DiscoveryError } from "@lmserv/discovery-core";
import { maxValueBytes } from "@lmserv/discovery-store";
import { JetStreamApiError, type JetStreamClient, StorageType, type StreamInfo } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { millis } from "@nats-io/transport-node";
import { isBucketMissing } from "./error-mapping.ts";
import { type HedgedRetryOptions, hedgedRetry } from "./hedged-retry.ts";

/** Where the values of one cluster are kept. */
export interface Bucket {
  readonly kv: KV;
  readonly name: string;
  /** The stream behind it. */
  readonly stream: string;
  /** How long a value lives, in ms. */
  readonly lifetimeMs: number;
  /** Whether the server tells of values that ran out. */
  readonly tellsExpiry: boolean;
}

export interface BucketPlan {
  readonly cluster: string;
  readonly lifetimeMs: number;
  readonly replicas: number;
  /** Whether it is made where there is none. */
  readonly mayMake: boolean;
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
/** Somebody else has the name, with other properties, or the subjects; where two make one bucket at once, either is said. */
const taken: ReadonlySet<number> = new Set([10_058, 10_065]);

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
    const mend = `delete it (nats kv del ${name}), or give it an age (nats stream edit KV_${name} --max-age 30s)`;
    const message = `the bucket ${name} on ${plan.place} keeps values for ever, so that the dead would stay: ${mend}`;
    throw new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via: plan.via });
  }
  const kv = await new Kvm(js).open(name);
  const tellsExpiry = (config.subject_delete_marker_ttl ?? 0) > 0;
  return { kv, name, stream: config.name, lifetimeMs, tellsExpiry };
}

/**
 * Once and not insistently: a cluster that is asked again writes down another time of its creation.
 *
 * Resolves with null, or with what the server said where it is taken: by somebody who makes it at the same time, if it is
 * there then.
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

/** Whether a version such as `2.9.10` or `2.12.0-RC.1` is that one or later. */
export function isAtLeast(version: string, least: readonly [number, number, number]): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0, 0];
  const first = parts.findIndex((part, index) => part !== least[index]);
  return first < 0 || (parts[first] ?? 0) > (least[first] ?? 0);
}
