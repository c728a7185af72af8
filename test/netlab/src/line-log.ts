import { EventEmitter, once } from "node:events";
import type { Readable } from "node:stream";
import { within } from "./deadline.ts";

/** The packets of a start of 50 hosts take about 10 M; whoever writes more than this has run away. */
const maxChars = 64 * 1024 * 1024;

/** Says whether a line is the one waited for; `index` counts all lines from 0. */
export type LinePredicate = (line: string, index: number) => boolean;

export interface LineSearch {
  /** Without what the process waits for a processor. @default 120_000 */
  readonly timeoutMs?: number;
  /** Index of the first line to look at; `lines.length` means "from now on". @default 0 */
  readonly from?: number;
}

/** What a stream has said so far, line by line, and what it is still to say. */
export interface LineLog {
  /** Complete lines, without their ends. */
  readonly lines: readonly string[];
  /** Everything, the unfinished last line included. */
  readonly text: () => string;
  /** Resolves with the first line that fits, past or future; rejects when the stream ends or time is up. */
  readonly find: (predicate: LinePredicate, search?: LineSearch) => Promise<string>;
}

/**
 * Reads `stream` to its end, at most 64 Mi characters of it.
 *
 * @param queuedMs - How long its writer has waited for a processor so far, which is not counted as time.
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
