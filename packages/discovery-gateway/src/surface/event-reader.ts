import type { ServerResponse } from "node:http";
import { formatVersion, type WatchLine } from "../document.ts";
import { type EventLog, eventText } from "./event-log.ts";

/** A browser that was cut off comes back after so long, in ms. */
const retryMs = 1_000;

/**
 * Reader of the events. It holds a place in the log and no queue: a slow one is left behind, and dropped once
 * the log has moved on.
 */
export class EventReader {
  readonly #log: EventLog;
  readonly #response: ServerResponse;
  /** Rest of the list to write, before the events after `#at`. */
  #snapshot: Iterator<string> | null;
  #at: number;
  #isBlocked = false;
  /** True if nothing has left since the last beat. */
  #isStalled = false;

  constructor(log: EventLog, response: ServerResponse, lastId: string | null) {
    this.#log = log;
    this.#response = response;
    const resumed = log.resume(lastId);
    this.#at = resumed ?? log.last;
    this.#snapshot = resumed === null ? snapshotOf(log) : null;
    response.on("drain", () => {
      this.#isBlocked = false;
      this.#isStalled = false;
      this.pump();
    });
  }

  /** Writes all events, as far as the client takes them. */
  pump(): void {
    while (!this.#isBlocked && !this.#response.destroyed) {
      const text = this.#next();
      if (text === null) break;
      this.#isBlocked = !this.#response.write(text);
    }
    // The client comes back, and gets the whole list.
    if (this.#isLeftBehind) this.#response.destroy();
  }

  /**
   * Shows the client, and all proxies, that the stream is alive; ends one that took nothing since the last
   * beat.
   */
  beat(): void {
    if (this.#isStalled) this.#response.destroy();
    else if (this.#isBlocked) this.#isStalled = true;
    else this.#isBlocked = !this.#response.write(": \n\n");
  }

  end(): void {
    this.#response.end();
  }

  /** True if the log has moved on beyond the next event. */
  get #isLeftBehind(): boolean {
    return this.#at < this.#log.last && this.#log.textOf(this.#at + 1) === null;
  }

  #next(): string | null {
    const listed = this.#snapshot?.next();
    if (listed && !listed.done) return listed.value;
    this.#snapshot = null;
    const text = this.#log.textOf(this.#at + 1);
    if (text !== null) this.#at += 1;
    return text;
  }
}

/** The whole list. Only its end has an id: a reader that is cut off before it begins anew. */
function* snapshotOf(log: EventLog): Generator<string> {
  const id = `id: ${log.idOf(log.last)}\n`;
  const reset = {
    line: { type: "version", formatVersion } as const,
    fields: `retry: ${retryMs}\nevent: reset\n`,
  };
  let waiting: { readonly line: WatchLine; readonly fields: string } = reset;
  for (const line of log.state()) {
    yield eventText(waiting.line, waiting === reset ? `${reset.fields}id\n` : "");
    waiting = { line, fields: "" };
  }
  yield eventText(waiting.line, `${waiting.fields}${id}`);
}
