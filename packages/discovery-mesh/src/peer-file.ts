import { join } from "node:path";
import { isKeyId, isMemberUrl, readIfThere, replaceFile } from "@lmserv/discovery-signing";

/** Where a member was to be found. */
export interface KnownPeer {
  readonly id: string;
  readonly urls: readonly string[];
  /** When it was last there, in ms since 1970. */
  readonly seenMs: number;
}

/** As many as a mesh has members. */
const maxPeers = 256;
const maxUrls = 8;
const weekMs = 7 * 86_400_000;

/** Whom to dial after a start, when no seed answers: also those that were not there any more at the end. */
export class PeerFile {
  readonly #path: string;

  /** @param owner - The member whose peers they are: its id, or where it listens. */
  constructor(directory: string, cluster: string, owner: string) {
    this.#path = join(directory, `mesh-${encodeURIComponent(cluster)}-${encodeURIComponent(owner)}.json`);
  }

  /** Those of the last seven days; none when the file cannot be read. */
  async read(wallMs: number): Promise<readonly KnownPeer[]> {
    try {
      const value: unknown = JSON.parse((await readIfThere(this.#path)) ?? "[]");
      const peers = Array.isArray(value) ? value.filter(isKnownPeer) : [];
      return latest(peers, wallMs);
    } catch {
      // It saves time and is no more than that.
      return [];
    }
  }

  /** @throws what the system says. */
  async write(peers: readonly KnownPeer[], wallMs: number): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify(latest(peers, wallMs))}\n`);
  }
}

function latest(peers: readonly KnownPeer[], wallMs: number): readonly KnownPeer[] {
  const recent = peers.filter(({ seenMs }) => wallMs - seenMs < weekMs);
  return recent.sort((a, b) => b.seenMs - a.seenMs).slice(0, maxPeers);
}

function isKnownPeer(value: unknown): value is KnownPeer {
  if (typeof value !== "object" || value === null) return false;
  const { id, urls, seenMs } = value as Record<string, unknown>; // Of which nothing but that is known.
  const isListed = Array.isArray(urls) && urls.length <= maxUrls && urls.every(isUrl);
  return typeof id === "string" && isKeyId(id) && isListed && typeof seenMs === "number";
}

function isUrl(value: unknown): boolean {
  return typeof value === "string" && isMemberUrl(value);
}
