import { createSocket, type Socket, type SocketType } from "node:dgram";
import { type Cancellable, type Clock, linkedAbort, sleep } from "@lmserv/discovery-core/transport";
import { decode } from "../dns/decode.ts";
import { type Family, families, familyOf } from "../link/interfaces.ts";
import { mdnsPort } from "../link/link.ts";
import { questionsAbout } from "./listening.ts";

export interface DirectOptions extends Cancellable {
  readonly clock: Clock;
  readonly random: () => number;
}

const socketTypes: Readonly<Record<Family, SocketType>> = { IPv4: "udp4", IPv6: "udp6" };
/** Asked twice, since one packet may get lost. */
const asks = 2;
const waitMs = 500;

/**
 * Asks hosts by unicast, one by one, and resolves with those that answered.
 *
 * An ordinary responder answers a unicast question (RFC 6762 sections 5.5 and 6.7), even if multicast does
 * not reach it.
 */
export async function askDirectly(
  addresses: readonly string[],
  { clock, random, signal }: DirectOptions,
): Promise<readonly string[]> {
  const id = 1 + Math.floor(random() * 0xfffe);
  const asked = new Set(addresses);
  const answered = new Set<string>();
  const sockets = new Map(families.map((family) => [family, openAsker(family)]));
  const complete = linkedAbort(signal);
  for (const socket of sockets.values()) {
    socket.on("message", (bytes, { address, port }) => {
      const message = decode(bytes)?.message;
      if (port !== mdnsPort || !message?.response || message.id !== id || !asked.has(address)) return;
      answered.add(address);
      if (answered.size === asked.size) complete.abort();
    });
  }
  try {
    for (let ask = 0; ask < asks && !complete.signal.aborted; ask += 1) {
      for (const address of asked) {
        sockets.get(familyOf(address))?.send(questionsAbout([address], id), mdnsPort, address, () => {});
      }
      await sleep(clock, waitMs, complete.signal).catch(() => {});
    }
    signal.throwIfAborted();
    return [...answered];
  } finally {
    complete.abort();
    for (const socket of sockets.values()) socket.close();
  }
}

/** A host that cannot be asked, or a missing family, counts as unanswered. */
function openAsker(family: Family): Socket {
  return createSocket(socketTypes[family]).on("error", () => {});
}
