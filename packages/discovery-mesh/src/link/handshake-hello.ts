import { parseAddress } from "@lmserv/discovery-core/transport";
import { idOf, type NodeKey } from "@lmserv/discovery-signing";
import type { ClusterKey } from "./cluster-key.ts";
import type { PeerHello } from "./link.ts";
import { isMeshUrl } from "./mesh-url.ts";
import { Refusal } from "./refusal.ts";

/** Who we are. Read anew for each handshake, so that keys and URLs may change under way. */
export interface Party {
  readonly nodeKey: NodeKey;
  /** Name of the cluster, 1 to 64 characters; members of another are never linked. */
  readonly cluster: string;
  /** The first is proven, any accepted; none at all is for loopback only. */
  readonly clusterKeys: readonly ClusterKey[];
  readonly epoch: number;
  readonly instance: string;
  readonly role: PeerHello["role"];
  /** Mesh URLs, at most 8. */
  readonly advertise: readonly string[];
}

/** What one side says of itself, and of the other. */
export interface HandshakeHello {
  readonly hello: PeerHello;
  /** The address of whoever reads it, as its author sees it, or null. */
  readonly observed: string | null;
}

/** Interfaces of one host, times two families. */
const maxAdvertised = 8;

export function writeHello(party: Party, observed: string): string {
  const { nodeKey, epoch, instance, role } = party;
  const advertise = party.advertise.slice(0, maxAdvertised);
  return JSON.stringify({
    id: nodeKey.id,
    publicKey: nodeKey.publicKey,
    epoch,
    instance,
    role,
    advertise,
    observed,
  });
}

/** @throws {Refusal} `malformed`, or `identity` when the id is not that of the public key. */
export function readHello(text: string): HandshakeHello {
  const { id, publicKey, epoch, instance, role, advertise, observed } = readRecord(text);
  if (typeof id !== "string" || typeof publicKey !== "string") throw malformed("no id or public key");
  if (id !== idOf(publicKey)) throw new Refusal("identity", "its id is not that of its public key");
  if (typeof epoch !== "number" || !Number.isSafeInteger(epoch) || epoch < 0) throw malformed("no epoch");
  if (typeof instance !== "string" || !/^[\w-]{8,64}$/.test(instance)) throw malformed("no instance");
  if (role !== "member" && role !== "observer") throw malformed("no role");
  return {
    hello: { id, publicKey, epoch, instance, role, advertise: readUrls(advertise) },
    observed: typeof observed === "string" && parseAddress(observed) ? observed : null,
  };
}

/** @throws {Refusal} `malformed` */
export function readRecord(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("not JSON");
  }
  if (typeof value !== "object" || value === null) throw malformed("not an object");
  return value as Record<string, unknown>; // Of which nothing but that is known.
}

export function malformed(what: string): Refusal {
  return new Refusal("malformed", `its handshake is malformed: ${what}`);
}

/** Those that can be URLs of members: one that we do not understand is no reason to do without the others. */
function readUrls(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, maxAdvertised)
    .filter((url): url is string => typeof url === "string" && isMeshUrl(url));
}
