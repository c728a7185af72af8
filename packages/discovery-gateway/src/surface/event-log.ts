import type { NodeInfo, RegistryChange } from "@lmserv/discovery-core";
import { nodeDocument, toJsonLine, type WatchLine } from "../document.ts";

/** A reader that is further behind than this begins anew with the whole list. */
const limits = { events: 1_000, bytes: 4 * 1_048_576 };

/** One event, as a stream carries it. */
interface LoggedEvent {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Latest events, numbered without gaps, and the resulting list.
 *
 * A reader is at a number; nothing is queued for it.
 */
export class EventLog {
  readonly #start: string;
  readonly #kept: LoggedEvent[] = [];
  readonly #nodes = new Map<string, NodeInfo>();
  /** Lost transports, each with its event. */
  readonly #lost = new Map<string, WatchLine>();
  #bytes = 0;
  #last = 0;

  /** @param start - Name of this start of the process, of visible ASCII without `-`. */
  constructor(start: string) {
    this.#start = start;
  }

  /** Number of the latest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Events that are kept. */
  get size(): number {
    return this.#kept.length;
  }

  /** Result of the events so far: each listed node and each lost transport, a line at a time. */
  state(): Iterable<WatchLine> {
    return linesOf([...this.#nodes.values()], [...this.#lost.values()]);
  }

  take(change: RegistryChange): void {
    const { kind, node } = change;
    if (kind === "down") this.#nodes.delete(node.id);
    else this.#nodes.set(node.id, node);
    this.note(lineOf(change));
  }

  note(line: WatchLine): void {
    if (line.type === "lost") this.#lost.set(line.transport ?? "", line);
    if (line.type === "recovered") this.#lost.delete(line.transport);
    this.#last += 1;
    const text = eventText(line, `id: ${this.idOf(this.#last)}\n`);
    const bytes = Buffer.byteLength(text);
    this.#kept.push({ text, bytes });
    this.#bytes += bytes;
    while (this.#kept.length > limits.events || this.#bytes > limits.bytes) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0;
    }
  }

  /** Text of an event, or null if it is no longer kept. */
  textOf(number: number): string | null {
    return this.#kept[number - 1 - (this.#last - this.#kept.length)]?.text ?? null;
  }

  idOf(number: number): string {
    return `${this.#start}-${number}`;
  }

  /**
   * Number of the event after which a reader goes on, by its `Last-Event-ID`; null if later ones are gone.
   */
  resume(id: string | null): number | null {
    const [start, digits = ""] = (id ?? "").split("-");
    if (start !== this.#start || !/^\d{1,15}$/.test(digits)) return null;
    const number = Number(digits);
    return number <= this.#last && number >= this.#last - this.#kept.length ? number : null;
  }
}

/** Lines are made as they are read: a list may be long. */
function* linesOf(nodes: readonly NodeInfo[], lost: readonly WatchLine[]): Generator<WatchLine> {
  for (const node of nodes) yield lineOf({ kind: "up", node });
  yield* lost;
}

function lineOf(change: RegistryChange): WatchLine {
  const node = nodeDocument(change.node);
  if (change.kind === "down") return { type: "down", reason: change.reason, node };
  return { type: change.kind, node };
}

/** An event of HTML's event streams (section 9.2.6); a line of JSON holds no line break. */
export function eventText(line: WatchLine, fields: string = ""): string {
  return `${fields}data: ${toJsonLine(line)}\n`;
}
