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

/** Takes what a watch sees, in order. */
export interface WatchSink {
  /** The watch begins at this time of the server's, in ms; those of others are compared with it and nothing else. */
  begin(serverMs: number): void;
  /** @param value - The empty text stands for what cannot be an announcement. @param serverMs - When it was put. */
  put(key: string, value: string, serverMs: number): void;
  delete(key: string): void;
  /** The server says that a value was not renewed in time. */
  expired(key: string): void;
  /** All that was there when the watch began has been told; once. */
  complete(): void;
  /** The server has told all there was up to some time: null for one heartbeat later than the last one. */
  heard(serverMs: number | null): void;
  /** The watch has missed something, or ended: its successor begins anew. */
  broken(why: Error): void;
}

export interface WatchOptions {
  readonly js: JetStreamClient;
  readonly bucket: Bucket;
  readonly inboxPrefix: string;
  readonly heartbeatMs: number;
  readonly retry: HedgedRetryOptions;
}

/** A consumer whose watcher is gone without a word is removed after this time: none is deleted, so that none leaks. */
const inactiveMs = 10_000;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Tells of every value in the bucket, then of every change; the result ends that.
 *
 * The client's own watch is not used: it makes its consumer again by itself after a fault, from where it was, so that it
 * stays silent for ever where the bucket was lost, and tells nobody.
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

/** Each asking has an inbox of its own: of several consumers, the server forgets those that nobody listens to. */
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

/** Notices gaps, and when everything that was there has been told. */
class Progress {
  readonly #sink: WatchSink;
  /** Number of the last message, for this watch and in the bucket. */
  #last = 0;
  #sequence = 0;
  #isComplete = false;
  #onReached: { readonly sequence: number; readonly resolve: () => void } | null = null;

  constructor(sink: WatchSink) {
    this.#sink = sink;
  }

  /**
   * Waits until all has been told that there was. How many messages are pending, as the server counts them, is not to be
   * relied upon while values are replaced: what was the last of the bucket has to have been told, and then once more what
   * was the last at that time, since a value that was replaced before its turn comes as a new one.
   */
  async fill(isEmpty: boolean, lastSequence: () => Promise<number>): Promise<void> {
    for (let round = 0; round < 2 && !isEmpty && !this.#isComplete; round += 1) {
      await this.#reaches(await lastSequence());
    }
    this.#complete();
  }

  /** Whether a message is the one that comes next. */
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

  /** The server has nothing to tell and says which message was its last. */
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

/** Milliseconds since 1970 of a time that the server wrote. */
function epochMs(iso: string): number {
  // biome-ignore lint/style/noRestrictedGlobals: it reads the server's time and asks for none.
  return Date.parse(iso);
}
