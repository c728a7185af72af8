import { connect, type Socket } from "node:net";
import { assertPort, type Clock, onAbort } from "@lmserv/discovery-core/transport";
import { isUnreadable, type Silence, whyFailed } from "../http/silence.ts";
import { assertAddress, fingerprint } from "./fingerprint.ts";
import type { Fingerprint, NoReply, OtherService } from "./fingerprint-result.ts";

/**
 * State of a port for a program that announces its server.
 *
 * `serving`: it answers over HTTP. `foreign`: it speaks first, or no HTTP. `failing`: it answers 5xx to all
 * questions. Others are reasons for no answer.
 *
 * `no-answer` is a port that accepts and is silent: a server may be busy, and a mere connection asks nothing.
 * With `closed` it accepts and hangs up, as a proxy without a server does: an open port is no server.
 */
export type ServerCheck = "serving" | Exclude<OtherService, "http"> | NoReply;

export interface ServerCheckOptions {
  readonly clock: Clock;
  /** Rejects with its reason when aborted. */
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  /**
   * True to ask it, with up to four GET requests in 4 s.
   *
   * Otherwise it is only connected to, within 1 s, and watched for 0.25 s: nothing reaches its log.
   *
   * @default true
   */
  readonly ask?: boolean;
}

/**
 * Limit from the first packet to an open connection, in ms; a connection within one machine takes less than
 * one.
 */
const connectMs = 1_000;
/** Watch in ms, in which a proxy without a server hangs up, and a protocol other than HTTP greets. */
const watchMs = 250;

/**
 * Checks if a server is behind a port.
 *
 * Rejects with `signal.reason`, and never for an act of the other side.
 *
 * @throws {TypeError | RangeError} when `host` is no address or `port` no port.
 */
export async function checkServer({ ask = true, ...options }: ServerCheckOptions): Promise<ServerCheck> {
  assertAddress(options.host);
  assertPort(options.port);
  options.signal.throwIfAborted();
  return ask ? checkOf(await fingerprint({ ...options, patient: true })) : watchConnection(options);
}

function checkOf(result: Fingerprint): ServerCheck {
  if (result.kind === "silent") return result.why;
  return result.kind === "other" && result.is !== "http" ? result.is : "serving";
}

function checkOfSilence(why: Silence): ServerCheck {
  return isUnreadable(why) ? "foreign" : why;
}

async function watchConnection({
  clock,
  signal,
  host,
  port,
}: Omit<ServerCheckOptions, "ask">): Promise<ServerCheck> {
  const socket = connect({ host, port });
  const ignore = onAbort(signal, () => void socket.destroy());
  let cancel = (): void => {};
  try {
    return await new Promise((resolve, reject) => {
      cancel = clock.schedule(connectMs, () => resolve("no-connection"));
      socket.on("error", (error) => resolve(checkOfSilence(whyFailed(error))));
      socket.on("data", () => resolve("foreign"));
      socket.on("end", () => resolve("closed"));
      socket.on("close", () => (signal.aborted ? reject(signal.reason) : resolve("closed")));
      socket.once("connect", () => {
        cancel();
        if (isItself(socket)) return resolve("refused");
        cancel = clock.schedule(watchMs, () => resolve("no-answer"));
      });
    });
  } finally {
    cancel();
    ignore();
    socket.destroy();
  }
}

/** TCP lets a socket connect to itself if its own random port is the target. */
function isItself({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}
