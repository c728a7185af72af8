import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

export const program: string = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** A started program, and what it has printed so far. */
export interface Run extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves when the output holds `text` from `offset` on; rejects when it ended without. */
  readonly prints: (text: string, offset?: number) => Promise<void>;
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export function start(command: string, ...args: string[]): Run {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  const take = (text: string): void => {
    output += text;
    child.emit("printed");
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return {
    process: child,
    output: () => output,
    async prints(text, offset = 0) {
      while (!output.includes(text, offset)) {
        const isOver = await Promise.race([once(child, "printed").then(() => false), ended.then(() => true)]);
        if (isOver && !output.includes(text, offset)) throw new Error(`it did not print ${text}:\n${output}`);
      }
    },
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The URLs in the table. */
export function serverUrls(output: string): string[] {
  const row = /^(?:gpu-box-01|gpu-box-02|mac-studio) +(http:\S+)/gm;
  return [...output.matchAll(row)].flatMap(([, url]) => url ?? []);
}

/** Resolves when nothing listens at the URL. */
export async function isGone(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const listens = async (): Promise<boolean> => {
    const socket = connect(Number(port), hostname);
    try {
      await once(socket, "connect");
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };
  await expect.poll(listens).toBe(false);
}
