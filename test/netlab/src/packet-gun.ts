import type { Place } from "./place.ts";
import { pythonScript } from "./script.ts";

export interface Shot {
  /** IPv4 or IPv6 address. @default "224.0.0.251" */
  readonly to?: string;
  /** @default 5353 */
  readonly toPort?: number;
  /** The port may be shared with other programs; 0 lets the kernel choose one. @default 5353 */
  readonly fromPort?: number;
  /** Address of a host with several. @default the kernel's choice */
  readonly from?: string;
  /** IPv4 TTL or IPv6 hop limit, 1 to 255. @default 255 */
  readonly ttl?: number;
}

/** Sends datagrams as given, byte for byte. Disposal stops it. */
export interface PacketGun extends AsyncDisposable {
  /** Resolves when the kernel took the datagram; rejects with the kernel's error. */
  readonly fire: (payload: Uint8Array, shot?: Shot) => Promise<void>;
}

/**
 * Lets a host send arbitrary UDP datagrams from its interface.
 *
 * The gun keeps its ports. A unicast datagram to such a port may reach the gun instead of the program under
 * test: fire from another host.
 */
export async function packetGun(place: Place): Promise<PacketGun> {
  const script = await place.spawn(pythonScript("gun.py", place.interface));
  await script.line((line) => line === "ready");
  let shots = 0;

  async function fire(payload: Uint8Array, shot: Shot = {}): Promise<void> {
    const defaults = { to: "224.0.0.251", toPort: 5353, fromPort: 5353, from: "", ttl: 255 };
    const order = { ...defaults, ...shot, payload: Buffer.from(payload).toString("base64") };
    shots += 1;
    const answer = script.line(() => true, { from: shots });
    script.stdin.write(`${JSON.stringify(order)}\n`);
    const result = await answer;
    if (result !== "sent") throw new Error(`Cannot send to ${order.to} port ${order.toPort}: ${result}`);
  }

  return { fire, [Symbol.asyncDispose]: () => script[Symbol.asyncDispose]() };
}
