import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import {
  canonicalAddress,
  formatEndpoint,
  linkedAbort,
  onAbort,
  orAborted,
  withoutZone,
} from "@lmserv/discovery-core/transport";
import { WebSocket } from "ws";
import { admit } from "./admission.ts";
import { channelBinding, minTlsVersion } from "./channel-binding.ts";
import { exposure, type Plain, type Protection } from "./exposure.ts";
import { scheduleFairly } from "./fair-timer.ts";
import { dialerHandshake } from "./handshake.ts";
import type { Party } from "./handshake-hello.ts";
import { webSocketOptions } from "./limits.ts";
import type { Link } from "./link.ts";
import { canBeDialled, type MeshUrl, meshPath, meshSubprotocol, parseMeshUrl } from "./mesh-url.ts";
import { type LinkHost, PeerLink } from "./peer-link.ts";
import { connectFirst } from "./race.ts";
import { Refusal } from "./refusal.ts";

export interface DialOptions {
  /** `ws://host:port` or `wss://host:port`. */
  readonly url: string;
  readonly party: Party;
  readonly host: LinkHost;
  readonly signal: AbortSignal;
  /**
   * PEM of the authority that must have issued the certificate. Without it any certificate will do: the proofs
   * hold for this TLS connection only, so that nobody without the key can be at its other end.
   */
  readonly ca?: string;
  /** Where to dial without encryption. @default "private" */
  readonly plain?: Plain;
  /** Every address of a name. @default the system's */
  readonly lookup?: (name: string) => Promise<readonly string[]>;
  /** Something answers: the handshake begins. */
  readonly connected?: () => void;
}

/** More of a name's are not tried. */
const maxAddresses = 8;

/**
 * Dials a member; resolves with the link when the handler has it.
 *
 * @throws {RangeError} when the URL is none; {Refusal} when there will be no link; `signal.reason` itself when
 *   aborted.
 */
export async function dial(options: DialOptions): Promise<Link> {
  const { url, host, signal } = options;
  const target = parseMeshUrl(url);
  const ending = linkedAbort(signal);
  const limit = (ms: number, what: string): (() => void) =>
    scheduleFairly(host.clock, ms, () =>
      ending.abort(new Refusal("slow", `${url} did not ${what} within ${ms} ms`)),
    );

  let cancel = limit(host.limits.dialMs, "answer");
  try {
    const connection = await connect(target, options, ending.signal);
    cancel();
    options.connected?.();
    cancel = limit(host.limits.admissionMs, "finish the handshake");
    return await shake(connection, options, ending.signal);
  } finally {
    cancel();
    ending.abort();
  }
}

async function connect(target: MeshUrl, options: DialOptions, signal: AbortSignal): Promise<Socket> {
  const { host: name, port, secure } = target;
  const { clock } = options.host;
  const protection: Protection = {
    keyed: options.party.clusterKeys.length > 0,
    encrypted: secure,
    plain: options.plain ?? "private",
  };
  const forbidden = exposure(name, port, protection);
  if (forbidden !== null) throw new Refusal("exposed", forbidden);
  const addresses = await orAborted(resolve(name, options), signal);
  const reasons = addresses.map((address) => exposure(address, port, protection));
  const allowed = addresses.filter((_, index) => reasons[index] === null);
  if (allowed.length === 0) throw new Refusal("exposed", reasons.join("; "));
  const socket = await connectFirst(allowed, port, { clock, signal });
  return secure ? startTls(socket, target, options, signal) : socket;
}

async function resolve(name: string, options: DialOptions): Promise<readonly string[]> {
  if (isIP(name) !== 0) return [name];
  const found = await (options.lookup ?? lookupAll)(name).catch((error: Error) => {
    throw new Refusal("unreachable", error.message, error);
  });
  const addresses = found.filter(canBeDialled);
  if (addresses.length === 0) {
    const why =
      found.length > 0 ? `${name} is at ${found.join(", ")}, which no host has` : `${name} has no address`;
    throw new Refusal("unreachable", why);
  }
  return addresses.slice(0, maxAddresses);
}

/** Every address that the system knows of a name. */
export async function lookupAll(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

async function startTls(
  socket: Socket,
  { host }: MeshUrl,
  { ca }: DialOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const connection = connectTls({
    socket,
    minVersion: minTlsVersion,
    rejectUnauthorized: ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  // Of the way down nobody else has to know.
  connection.on("error", () => {});
  try {
    await once(connection, "secureConnect", { signal });
    return connection;
  } catch (error) {
    connection.destroy();
    if (signal.aborted) throw signal.reason;
    throw new Refusal("tls", error instanceof Error ? error.message : String(error), error);
  }
}

function shake(connection: Socket, options: DialOptions, signal: AbortSignal): Promise<Link> {
  const { url, party, host } = options;
  const { limits } = host;
  const remoteAddress = canonicalAddress(connection.remoteAddress ?? "");
  // A zone says nothing to the other side (RFC 9844).
  const authority = formatEndpoint(withoutZone(remoteAddress), connection.remotePort ?? 0);
  const webSocket = new WebSocket(`ws://${authority}${meshPath}`, meshSubprotocol, {
    ...webSocketOptions(limits),
    handshakeTimeout: limits.admissionMs,
    followRedirects: false,
    createConnection: () => connection,
  });
  return new Promise((resolve, reject) => {
    const ignore = onAbort(signal, () => webSocket.terminate());
    const onError = (error: Error): void => {
      ignore();
      reject(signal.aborted ? signal.reason : new Refusal("not-mesh", error.message, error));
    };
    webSocket.on("error", onError);
    webSocket.once("open", () => {
      ignore();
      webSocket.off("error", onError);
      const channel = { binding: channelBinding(connection), remoteAddress };
      admit(webSocket, dialerHandshake(party, channel), {
        limits,
        signal,
        admitted: (admission) =>
          resolve(new PeerLink(webSocket, admission, { dialed: true, url, remoteAddress }, host)),
        refused: reject,
      });
    });
  });
}
