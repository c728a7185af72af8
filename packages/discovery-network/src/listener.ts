import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalAddress } from "@lmserv/discovery-core/transport";

/** TCP socket of this network namespace that waits for connections. */
export interface Listener {
  /** Canonical; `0.0.0.0` or `::` for every address. */
  readonly address: string;
  readonly port: number;
  /** Inode of the socket, which changes when the server restarts. */
  readonly inode: string;
}

/** State of a listening socket in `/proc/net/tcp` (`TCP_LISTEN`). */
const listening = "0A";

/**
 * Reads the listening TCP sockets of this network namespace, without a packet to any of them.
 *
 * Resolves with null if the system does not tell: only Linux has the files.
 *
 * @param folder - Folder of the network in procfs. @default "/proc/net"
 * @see proc_pid_net(5)
 */
export async function readListeners(folder: string = "/proc/net"): Promise<readonly Listener[] | null> {
  const tables = await Promise.all(["tcp", "tcp6"].map((file) => readIfThere(join(folder, file))));
  const texts = tables.filter((text) => text !== null);
  return texts.length === 0 ? null : texts.flatMap(parseListeners);
}

/** Listening sockets of a table in the format of `/proc/net/tcp`; invalid rows are skipped. */
export function parseListeners(table: string): readonly Listener[] {
  return table.split("\n").flatMap((row): Listener[] => {
    const [, local = "", , state, , , , , , inode] = row.trim().split(/ +/);
    const [words = "", port = ""] = local.split(":");
    if (state !== listening || inode === undefined || !/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(words)) return [];
    return [{ address: addressOf(words), port: Number.parseInt(port, 16), inode }];
  });
}

/** Words of 32 bits in the machine's byte order: little-endian on all Linux machines of Node but s390x. */
function addressOf(words: string): string {
  const bytes =
    words.match(/.{8}/g)?.flatMap((word) => Buffer.from(word, "hex").reverse().toJSON().data) ?? [];
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => {
    return (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16);
  });
  return canonicalAddress(groups.join(":"));
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null;
  }
}
