import { stderr } from "node:process";
import type { HostProcess } from "@lmserv/test-netlab";
import type { PeerCommand, PeerEvent } from "./protocol.ts";

const startTimeoutMs = 20_000;

/** An event that has a time. */
type Stamped = Extract<PeerEvent, { tMs: number }>;

/** A running peer program. Disposal kills it, without a goodbye. */
export interface PeerProcess extends AsyncDisposable {
  readonly process: HostProcess;
  readonly tell: (command: PeerCommand) => void;
  /** Reports so far. */
  readonly events: () => readonly Stamped[];
  /** Resolves with the first event of that kind, since `sinceMs` or ever; null when none came in time. */
  readonly event: <K extends Stamped["event"]>(
    kind: K,
    about?: { readonly info?: string; readonly sinceMs?: number; readonly timeoutMs?: number },
  ) => Promise<Extract<Stamped, { event: K }> | null>;
}

/** Resolves when the program waits for commands. */
export async function peerProcess(process: HostProcess): Promise<PeerProcess> {
  await process.line((line) => parse(line)?.event === "ready", { timeoutMs: startTimeoutMs });
  void process.exited.then(({ code }) => complain(process, code));
  return {
    process,
    tell: (command) => process.stdin.write(`${JSON.stringify(command)}\n`),
    events: () => process.lines.map(parse).filter(isStamped),
    async event(kind, { info, sinceMs = 0, timeoutMs = startTimeoutMs } = {}) {
      const fits = (event: PeerEvent | null): boolean =>
        isStamped(event) &&
        event.event === kind &&
        event.tMs >= sinceMs &&
        (info === undefined || ("info" in event && event.info === info));
      try {
        const line = await process.line((candidate) => fits(parse(candidate)), { timeoutMs });
        return parse(line) as Extract<Stamped, { event: typeof kind }>;
      } catch (error) {
        if (await hasEnded(process)) throw error;
        return null;
      }
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Reports why a program ended without being killed. */
function complain({ stderrText }: HostProcess, code: number | null): void {
  if (code !== null) stderr.write(`A peer program ended with code ${code}: ${stderrText}\n`);
}

/** Lines that a library prints by itself are not ours. */
function parse(line: string): PeerEvent | null {
  return line.startsWith('{"event"') ? (JSON.parse(line) as PeerEvent) : null;
}

function isStamped(event: PeerEvent | null): event is Stamped {
  return event !== null && "tMs" in event;
}

/** A program that ended on its own failed, and so does the section; one that is silent is a result. */
function hasEnded({ exited }: HostProcess): Promise<boolean> {
  const notYet = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([exited.then(() => true), notYet]);
}
