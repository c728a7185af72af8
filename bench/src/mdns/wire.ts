import type { Packet } from "@lmserv/test-netlab";
import dnsPacket, { type Packet as Message } from "dns-packet";

/** The message of a packet, read with a codec that is not ours; null if it cannot be. */
function messageOf({ payload }: Packet): Message | null {
  try {
    return dnsPacket.decode(payload);
  } catch {
    return null;
  }
}

/** True if the packet announces an instance whose name starts with `label`. */
export function locates(packet: Packet, label: string): boolean {
  const message = messageOf(packet);
  if (message?.type !== "response") return false;
  const records = [...(message.answers ?? []), ...(message.additionals ?? [])];
  return records.some((record) => record.type === "SRV" && record.name.startsWith(label));
}
