import { EventEmitter, once } from "node:events";
import type { Readable } from "node:stream";
import { within } from "./deadline.ts";

/** Bound on characters: the packets of a start of 50 hosts take about 10 M; more is a runaway program. */
const maxChars = 64 * 1024 * 1024;

/** Returns true for the wanted line; `index` counts all lines from 0. */
export type LinePredicate = (line: string, index: number) => boolean;

export interface LineSearch {
  /** Time limit without the process's waits for a processor. @default 120_000 */
  readonly timeoutMs?: number;
  /** Index of the first line to examine; `lines.length` means "from now on". @default 0 */
  readonly from?: number;
}

/** Past and future output of a stream, line by line. */
export interface LineLog {
  /** Complete lines, without their ends. */
  readonly lines: readonly string[];
  /** All output, the unfinished last line included. */
  readonly text: () => string;
  /** Resolves with the first line that fits, past or future; rejects when the stream ends or time is up. */
  readonly find: (predicate: LinePredicate, search?: LineSearch) => Promise<string>;
}

/**
 * Reads `stream` to its end, at most 64 Mi characters of it.
 *
 * @param queuedMs - Time that its writer has waited for a processor so far, which does not count.
 */
export function lineLog(stream: Readable, queuedMs?: () => number): LineLog {
  const lines: string[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  let chars = 0;
  let rest = "";
  let ended = false;

  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    chars += chunk.length;
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) lines.push(part);
    if (chars > maxChars) {
      lines.push(`(cut after ${maxChars} characters)`);
      stream.destroy();
    }
    news.emit("change");
  });
  stream.on("close", () => {
    ended = true;
    news.emit("change");
  });

  async function search(predicate: LinePredicate, from: number, signal: AbortSignal): Promise<string> {
    for (let index = from; ; index++) {
      while (index >= lines.length) {
        if (ended) throw new Error("The output ended without the line waited for");
        await once(news, "change", { signal });
      }
      const line = lines[index];
      if (line !== undefined && predicate(line, index)) return line;
    }
  }

  return {
    lines,
    text: () => [...lines, rest].join("\n"),
    find: (predicate, { timeoutMs = 120_000, from = 0 } = {}) =>
      within(
        timeoutMs,
        () => "The line waited for did not come",
        (signal) => search(predicate, from, signal),
        queuedMs,
      ),
  };
}
