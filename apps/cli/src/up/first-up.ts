import { endpointUrl, type ListenAddress } from "../gateway/listen-address.ts";
import type { Io } from "../io/io.ts";

/** Name of the claim that `lmserv up` holds for the whole machine: no server listens there. */
export const upClaim = 0;

/** A program on this machine answers at once, in ms. */
const askMs = 2_000;

/** URL of the endpoint of a process on this machine, or null if the system does not tell. */
export async function endpointOf(pid: number, io: Io): Promise<string | null> {
  const [sockets, listeners] = await Promise.all([io.readSocketsBelow(pid), io.readListeners()]);
  const own = listeners?.filter(({ inode }) => sockets?.has(inode)) ?? [];
  const found = await Promise.all(own.map((address) => isEndpoint(address, io)));
  const first = own.find((_, index) => found[index]);
  return first ? endpointUrl(first) : null;
}

async function isEndpoint({ address, port }: ListenAddress, { fingerprint }: Io): Promise<boolean> {
  const result = await fingerprint(address, port, AbortSignal.timeout(askMs)).catch(() => null);
  return result?.kind === "document" && result.role === "gateway";
}
