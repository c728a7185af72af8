import { connect, type Socket } from "node:net";
import { type Clock, onAbort } from "@lmserv/discovery-core/transport";
import { Refusal } from "./refusal.ts";

/** RFC 8305 section 5: how long one address is waited for before the next is tried as well. */
const attemptDelayMs = 250;

export interface RaceOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Connects to whichever address (there must be one) answers first; the others are let go.
 *
 * @throws {Refusal} `unreachable` when none does, `no-listener` when all refuse; `signal.reason` when aborted.
 */
export function connectFirst(
  addresses: readonly string[],
  port: number,
  { clock, signal }: RaceOptions,
): Promise<Socket> {
  const waiting = [...addresses];
  const attempts = new Set<Socket>();
  const failures: Error[] = [];
  let cancelNext = (): void => {};

  return new Promise((resolve, reject) => {
    const end = (winner: Socket | null): void => {
      cancelNext();
      ignore();
      for (const attempt of attempts) if (attempt !== winner) attempt.destroy();
    };
    const fail = (attempt: Socket, error: Error): void => {
      if (!attempts.delete(attempt)) return;
      failures.push(error);
      if (waiting.length > 0) next();
      else if (attempts.size === 0) {
        end(null);
        reject(refusalOf(failures));
      }
    };
    const next = (): void => {
      cancelNext();
      const address = waiting.shift();
      if (address === undefined) return;
      const attempt = connect({ host: address, port });
      attempts.add(attempt);
      attempt.on("error", (error) => fail(attempt, error));
      attempt.once("connect", () => {
        end(attempt);
        attempts.delete(attempt);
        resolve(attempt);
      });
      cancelNext = clock.schedule(attemptDelayMs, next);
    };

    if (signal.aborted) return reject(signal.reason);
    const ignore = onAbort(signal, () => {
      end(null);
      reject(signal.reason);
    });
    next();
  });
}

function refusalOf(failures: readonly Error[]): Refusal {
  const refused = failures.every((error) => "code" in error && error.code === "ECONNREFUSED");
  const message = failures.map((error) => error.message).join("; ");
  return new Refusal(refused ? "no-listener" : "unreachable", message);
}
