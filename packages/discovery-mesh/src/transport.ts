import {
  assertOptions,
  formatEndpoint,
  type Transport,
  type TransportContext,
  toDiscoveryError,
} from "@lmserv/discovery-core/transport";
import { readSystem } from "@lmserv/discovery-network";
import {
  assertClusterName,
  ephemeralIdentity,
  type Identity,
  openIdentity,
  stateDirectory,
} from "@lmserv/discovery-signing";
import { diagnose } from "./diagnosis.ts";
import { parseKeys } from "./link/cluster-key.ts";
import type { Plain } from "./link/exposure.ts";
import { defaultMeshPort, type ListenAddress } from "./link/listen-address.ts";
import { parseMeshUrl } from "./link/mesh-url.ts";
import { PeerFile } from "./peer-file.ts";
import { parseSeed } from "./seeds.ts";
import { MeshSession } from "./session.ts";
import { shapes } from "./settings.ts";

export interface MeshOptions {
  /** Name of the mesh, 1..64 visible ASCII characters; members of others are never linked. @default "default" */
  readonly cluster?: string;
  /**
   * Text of the key file that all members share: one key a line, the first is proven, any accepted.
   *
   * @default none, and then nothing but loopback is listened on and dialled
   */
  readonly keys?: string;
  /**
   * Where to start: `ws://host:port`, `wss://host:port`, of a name all addresses; `dns+srv://name`. Resolved and
   * dialled again for ever.
   *
   * @default none; others may dial us
   */
  readonly seeds?: readonly string[];
  /** Addresses to listen on; none to be reached by nobody. @default port 7946 of all, or of loopback without keys */
  readonly listen?: readonly ListenAddress[];
  /** Mesh URLs at which others can dial us, at most 8. @default those listened on, at this machine's addresses */
  readonly advertise?: readonly string[];
  /** A member takes part; an observer listens to one or two members and announces nothing. @default "member" */
  readonly role?: "member" | "observer";
  /** PEM of a certificate, which may be self-signed, and its key: others dial `wss://`. @default no encryption */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** PEM of the authority of the members' certificates. @default any will do, since the keys are tied to them */
  readonly ca?: string;
  /** Speaks over the internet without encryption. @default false */
  readonly forcePlain?: boolean;
  /**
   * Dials nothing but `wss://`, whatever seeds, records and other transports say, and takes nothing but TLS. A seed
   * or URL of `ws://`, and to listen without `tls`, are mistakes then.
   *
   * @default false; with `tls` or `ca`, what nobody signed leads to `wss://` only
   */
  readonly tlsOnly?: boolean;
  /** Who we are, or what resolves with it when the transport opens. @default kept in the state directory for each address listened on; an observer's is new each time */
  readonly identity?: Identity | (() => Promise<Identity>);
  /** Where keys and peers are kept. @default `$XDG_STATE_HOME/lmserv` */
  readonly stateDirectory?: string;
  /** How many members there may be, 2..256. @default 256 */
  readonly maxPeers?: number;
  /**
   * Beside other transports: dials the nodes that these find, and has own nodes say there where the mesh is.
   *
   * @default true
   */
  readonly candidates?: boolean;
  /** Name in a composition. @default "mesh" */
  readonly name?: string;
}

const mostPeers = 256;

/**
 * A full mesh of WebSockets: finds and announces nodes where no multicast passes.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
 */
export function mesh(options: MeshOptions = {}): Transport {
  assertOptions("mesh", options, shapes);
  const {
    cluster = "default",
    keys,
    seeds = [],
    role = "member",
    maxPeers = mostPeers,
    name = "mesh",
  } = options;
  const {
    tls,
    ca,
    forcePlain = false,
    tlsOnly = false,
    advertise,
    candidates = true,
    stateDirectory: directory,
  } = options;
  assertClusterName(cluster);
  if (tlsOnly && forcePlain)
    throw new RangeError("tlsOnly and forcePlain exclude each other: leave one of them out");
  for (const url of advertise ?? [])
    assertEncrypted("advertise", url, readOption("advertise", () => parseMeshUrl(url)).secure || !tlsOnly);
  const secure = tlsOnly || tls !== undefined || ca !== undefined;
  const parsed = seeds.map((text) => readOption("seeds", () => parseSeed(text, secure)));
  for (const [index, seed] of parsed.entries()) {
    assertEncrypted("seeds", seeds[index] ?? "", seed.secure || !tlsOnly);
  }
  const shared = {
    name,
    cluster,
    clusterKeys: keys === undefined ? [] : parseKeys(keys),
    role,
    seeds: parsed,
    listen: role === "observer" ? [] : (options.listen ?? defaultListen(keys !== undefined)),
    advertise: advertise ?? null,
    candidates,
    maxPeers,
    tls,
    ca,
    plain: plainOf(tlsOnly, forcePlain),
    secure,
  };
  return {
    name,
    async open(context, { signal }) {
      signal.throwIfAborted();
      const endpoint = endpointOf(shared.listen);
      const identity = await identityOf(options, endpoint, context);
      // Where machines share the folder, each has peers of its own.
      const owner = endpoint === null || identity.keyFile === null ? endpoint : identity.key.id;
      const peerFile = owner === null ? null : new PeerFile(directory ?? stateDirectory(), cluster, owner);
      const session = new MeshSession(context, { ...shared, identity, peerFile });
      try {
        await session.open(signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        await session[Symbol.asyncDispose]();
        if (error instanceof RangeError) throw error;
        throw toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", name);
      }
      return session;
    },
    diagnose: (context, cancellable) => diagnose(shared, context, cancellable),
  };
}

function plainOf(tlsOnly: boolean, forcePlain: boolean): Plain {
  if (tlsOnly) return "nowhere";
  return forcePlain ? "anywhere" : "private";
}

/** A mistake begins with the option that it is in. */
function readOption<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${option}: ${error.message}`, { cause: error });
  }
}

function assertEncrypted(option: string, url: string, isFine: boolean): void {
  if (isFine) return;
  throw new RangeError(
    `${option} holds ${JSON.stringify(url)}, which tlsOnly forbids: write ${url.replace(/^ws:/i, "wss:")} where a member with TLS is, or leave tlsOnly out`,
  );
}

/** Without a key, nobody but this machine. */
function defaultListen(isKeyed: boolean): readonly ListenAddress[] {
  const port = defaultMeshPort;
  if (!isKeyed) return [{ host: "127.0.0.1", port }];
  const own = readSystem().interfaces.flatMap(({ addresses }) => addresses);
  const all: readonly ListenAddress[] = [{ host: "0.0.0.0", port }];
  return own.some(({ family }) => family === "IPv6") ? [...all, { host: "::", port }] : all;
}

/** What an identity is kept for; null where there is nothing that would be the same at the next start. */
function endpointOf([first]: readonly ListenAddress[]): string | null {
  return first && first.port !== 0 ? formatEndpoint(first.host, first.port) : null;
}

async function identityOf(
  { identity, stateDirectory: directory }: MeshOptions,
  endpoint: string | null,
  { clock, log }: TransportContext,
): Promise<Identity> {
  if (identity) return typeof identity === "function" ? identity() : identity;
  if (endpoint === null) return ephemeralIdentity(clock.wall());
  return openIdentity({
    endpoint,
    wall: () => clock.wall(),
    onWarning: (message, cause) => log("warn", message, { cause }),
    ...(directory !== undefined && { directory }),
  });
}
