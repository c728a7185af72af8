import { maxValueBytes } from "@lmserv/discovery-store";
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type PushConsumer,
} from "@nats-io/jetstream";
import { createInbox, nanos } from "@nats-io/transport-node";
import { type Bucket, keyPrefix } from "./bucket.ts";
import { type HedgedRetryOptions, hedgedRetry } from "./hedged-retry.ts";

/** Receiver of a watch's events, in order. */
export interface WatchSink {
  /** The watch begins at this server time, in ms; other server times are compared with it only. */
  begin(serverMs: number): void;
  /** @param value - Empty for a value that cannot be an announcement. @param serverMs - Time of the put. */
  put(key: string, value: string, serverMs: number): void;
  delete(key: string): void;
  /** Called when the server reports a value as expired. */
  expired(key: string): void;
  /** Called once when all values from before the watch were reported. */
  complete(): void;
  /** Called when everything up to a server time was reported; null for one heartbeat after the last time. */
  heard(serverMs: number | null): void;
  /** Called when the watch has a gap, or ended: its successor begins anew. */
  broken(why: Error): void;
}

export interface WatchOptions {
  readonly js: JetStreamClient;
  readonly bucket: Bucket;
  readonly inboxPrefix: string;
  readonly heartbeatMs: number;
  readonly retry: HedgedRetryOptions;
}

/** Time after which the server removes an abandoned consumer, in ms: none is deleted, so that none leaks. */
const inactiveMs = 10_000;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reports every value in the bucket, then every change; returns the function that ends it.
 *
 * The client's own watch is unsuitable. After a fault it silently makes its consumer again at its last
 * position. If the bucket was lost, it stays silent for ever.
 */
export async function watchBucket(options: WatchOptions, sink: WatchSink): Promise<() => void> {
  const { js, bucket, heartbeatMs } = options;
  const subjectPrefix = `$KV.${bucket.name}.${keyPrefix}`;
  const manager = await js.jetstreamManager(false);
  const { consumer, inbox } = await makeConsumer(manager, `${subjectPrefix}>`, options);
  const progress = new Progress(sink);
  sink.begin(epochMs(String(consumer.created)));
  const source = await js.consumers.getBoundPushConsumer({
    deliver_subject: inbox,
    idle_heartbeat: nanos(heartbeatMs),
  });
  const messages = await source.consume({
    callback: (message) => {
      const { deliverySequence, streamSequence, timestampNanos } = message.info;
      if (!progress.follows(deliverySequence)) return;
      const serverMs = timestampNanos / 1e6;
      tell(message, subjectPrefix, sink, serverMs);
      progress.told(streamSequence, serverMs);
    },
  });
  followStatus(messages, progress, sink);
  messages.closed().then(
    (error) => sink.broken(error instanceof Error ? error : new Error("the watch ended")),
    (error: Error) => sink.broken(error),
  );
  const lastSequence = async (): Promise<number> =>
    (await manager.streams.info(bucket.stream)).state.last_seq;
  progress.fill(consumer.num_pending === 0, lastSequence).catch((error: Error) => sink.broken(error));
  return () => messages.stop();
}

/** Each question has an inbox of its own: the server forgets consumers that have no listener. */
function makeConsumer(
  manager: JetStreamManager,
  subject: string,
  { bucket, inboxPrefix, heartbeatMs, retry }: WatchOptions,
): Promise<{ readonly consumer: ConsumerInfo; readonly inbox: string }> {
  return hedgedRetry(async () => {
    const inbox = createInbox(inboxPrefix);
    const consumer = await manager.consumers.add(bucket.stream, {
      deliver_policy: DeliverPolicy.LastPerSubject,
      ack_policy: AckPolicy.None,
      filter_subject: subject,
      idle_heartbeat: nanos(heartbeatMs),
      deliver_subject: inbox,
      inactive_threshold: nanos(inactiveMs),
      mem_storage: true,
      num_replicas: 1,
    });
    return { consumer, inbox };
  }, retry);
}

type Messages = Awaited<ReturnType<PushConsumer["consume"]>>;

async function followStatus(messages: Messages, progress: Progress, sink: WatchSink): Promise<void> {
  for await (const status of messages.status()) {
    if (status.type === "heartbeat") progress.idle(status.lastConsumerSequence);
    else if (status.type === "consumer_deleted") sink.broken(new Error("the consumer was deleted"));
  }
}

/** Detects gaps, and the end of the initial values. */
class Progress {
  readonly #sink: WatchSink;
  /** Number of the last message, in this watch and in the bucket. */
  #last = 0;
  #sequence = 0;
  #isComplete = false;
  #onReached: { readonly sequence: number; readonly resolve: () => void } | null = null;

  constructor(sink: WatchSink) {
    this.#sink = sink;
  }

  /**
   * Waits until all initial values were reported.
   *
   * The server's count of pending messages is unreliable while values are replaced. So the bucket's last
   * message must have been reported, and then once more its last message at that time: a replaced value comes
   * as a new one.
   */
  async fill(isEmpty: boolean, lastSequence: () => Promise<number>): Promise<void> {
    for (let round = 0; round < 2 && !isEmpty && !this.#isComplete; round += 1) {
      await this.#reaches(await lastSequence());
    }
    this.#complete();
  }

  /** True if a message is the next one. */
  follows(sequence: number): boolean {
    if (sequence === this.#last + 1) return true;
    this.#sink.broken(new Error(`message ${this.#last + 1} is missing before ${sequence}`));
    return false;
  }

  told(sequence: number, serverMs: number): void {
    this.#last += 1;
    this.#sequence = sequence;
    if (this.#onReached && sequence >= this.#onReached.sequence) this.#onReached.resolve();
    this.#sink.heard(serverMs);
  }

  /** Handles the heartbeat of an idle server, which names its last message. */
  idle(last: number): void {
    if (last > this.#last) return this.#sink.broken(new Error(`message ${last} is missing`));
    this.#complete();
    this.#sink.heard(null);
  }

  #reaches(sequence: number): Promise<void> {
    if (this.#sequence >= sequence || this.#isComplete) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReached = { sequence, resolve };
    });
  }

  #complete(): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#onReached?.resolve();
    this.#sink.complete();
  }
}

function tell(message: JsMsg, subjectPrefix: string, sink: WatchSink, serverMs: number): void {
  const { subject, headers, data } = message;
  const key = subject.slice(subjectPrefix.length);
  if (headers?.get("Nats-Marker-Reason") === "MaxAge") sink.expired(key);
  else if (headers?.has("KV-Operation") || headers?.has("Nats-Marker-Reason")) sink.delete(key);
  else sink.put(key, decode(data), serverMs);
}

function decode(data: Uint8Array): string {
  if (data.length > maxValueBytes) return "";
  try {
    return utf8.decode(data);
  } catch {
    return "";
  }
}

/** Milliseconds since 1970 of the server's time. */
function epochMs(iso: string): number {
  // biome-ignore lint/style/noRestrictedGlobals: it reads the server's time and asks for none.
  return Date.parse(iso);
}
