import { fileURLToPath } from "node:url";
import type { Host, HostProcess } from "@lmserv/test-netlab";
import type { Saying, Task } from "./programs/task.ts";

/** A running program of the benchmark. */
export interface Worker extends AsyncDisposable {
  readonly process: HostProcess;
  readonly tell: (word: "go" | "leave") => void;
  /** When it said so, in ms since 1970; null when it does not in time. */
  readonly said: (event: Saying["event"], name: string, timeoutMs: number) => Promise<number | null>;
  /** Nodes that it said to be gone although they were there all the time. */
  readonly wronged: () => readonly string[];
  /** Reports of the transport. */
  readonly warnings: () => readonly string[];
}

export async function startWorker(host: Host, program: "announcer" | "watcher", task: Task): Promise<Worker> {
  const file = fileURLToPath(import.meta.resolve(`@lmserv/bench/store/programs/${program}`));
  const process_ = await host.spawn([process.execPath, file, JSON.stringify(task)]);
  return {
    process: process_,
    tell: (word) => process_.stdin.write(`${word}\n`),
    async said(event, name, timeoutMs) {
      const fits = (line: string): boolean => {
        const saying = JSON.parse(line);
        return saying.event === event && saying.name === name;
      };
      try {
        return Number(JSON.parse(await process_.line(fits, { timeoutMs })).atMs);
      } catch {
        return null;
      }
    },
    wronged: () => namesOf(process_.lines, /"resident /),
    warnings: () => namesOf(process_.lines, /"fault"/),
    [Symbol.asyncDispose]: () => process_[Symbol.asyncDispose](),
  };
}

function namesOf(lines: readonly string[], pattern: RegExp): readonly string[] {
  return lines.filter((line) => pattern.test(line)).map((line) => JSON.parse(line).name);
}
