import type { ServerResponse } from "node:http";
import type { Discovery, DiscoveryError, RegistryChange, TransportStatus } from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import { warningDocument } from "../document.ts";
import { EventLog } from "./event-log.ts";
import { EventReader } from "./event-reader.ts";

/** Pages and programs of a household; each takes a descriptor. */
const maxReaders = 100;
/** Proxies give up a connection that is silent for a minute. */
const beatMs = 15_000;

export interface EventsOptions {
  readonly discovery: Pick<Discovery, "watch">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Takes each change of the list, in its order. */
  readonly onChange: (change: RegistryChange) => void;
}

/** Reports changes to every reader, for as long as the discovery is open. */
export class Events {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #readers = new Set<EventReader>();
  #stopBeats: (() => void) | null = null;
  #hasEnded = false;

  constructor({ discovery, clock, signal, onChange }: EventsOptions) {
    this.#clock = clock;
    this.#log = new EventLog(Math.round(clock.wall()).toString(36));
    this.#follow(discovery, signal, onChange)
      .catch(() => {})
      .finally(() => this.end());
  }

  /** Streams that are open. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Events that are kept for readers that come back. */
  get kept(): number {
    return this.#log.size;
  }

  /** Adds a reader; false when there are too many, or no more events come. */
  read(response: ServerResponse, lastId: string | null): boolean {
    if (this.#hasEnded || this.#readers.size >= maxReaders) return false;
    const reader = new EventReader(this.#log, response, lastId);
    this.#readers.add(reader);
    response.once("close", () => this.#remove(reader));
    this.#stopBeats ??= this.#scheduleBeat();
    reader.pump();
    return true;
  }

  /** Tells that a transport was lost, or is back. */
  transport({ name: transport, lost }: TransportStatus): void {
    this.#log.note(
      lost ? { type: "lost", ...warningDocument(lost), transport } : { type: "recovered", transport },
    );
    this.#pump();
  }

  warn(warning: DiscoveryError): void {
    this.#log.note({ type: "warning", ...warningDocument(warning) });
    this.#pump();
  }

  /** Ends every stream; none begins any more. */
  end(): void {
    this.#hasEnded = true;
    for (const reader of this.#readers) reader.end();
  }

  async #follow(
    discovery: EventsOptions["discovery"],
    signal: AbortSignal,
    onChange: EventsOptions["onChange"],
  ): Promise<void> {
    for await (const change of discovery.watch({ signal })) {
      this.#log.take(change);
      onChange(change);
      this.#pump();
    }
  }

  #pump(): void {
    for (const reader of this.#readers) reader.pump();
  }

  #scheduleBeat(): () => void {
    return this.#clock.schedule(beatMs, () => {
      for (const reader of this.#readers) reader.beat();
      this.#stopBeats = this.#scheduleBeat();
    });
  }

  #remove(reader: EventReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#stopBeats?.();
    this.#stopBeats = null;
  }
}
