import type { Socket } from "node:dgram";
import { type Clock, isLinkLocal } from "@lmserv/discovery-core/transport";
import { isOnLink } from "@lmserv/discovery-network";
import {
  addressesOf,
  type Family,
  families,
  familiesOf,
  familyOf,
  type LinkInterface,
  type NetworkInterface,
} from "./interfaces.ts";
import { type Link, type LinkEvents, mdnsGroups, mdnsPort, type SocketAddress } from "./link.ts";
import { type MdnsSocket, openSocket } from "./socket.ts";
import { openUnicast } from "./unicast.ts";

/** Time for which unicast answers are accepted after a question, in ms (RFC 6762 section 6). */
const inviteMs = 2_000;

/**
 * Opens an interface's sockets, one for each family that it has addresses of.
 *
 * @throws the first error when none can be opened; one of two is enough.
 */
export async function openLink(on: LinkInterface, events: LinkEvents, clock: Clock): Promise<Link> {
  const link = new WireLink(on, events, clock);
  const failures = await link.openMissing();
  for (const [family, failure] of failures) {
    if (link.families.length === 0) throw failure;
    events.degraded(family, failure);
  }
  // A link is opened in order to ask, and this saves a wait at the first question.
  await link.invite();
  return link;
}

class WireLink implements Link {
  readonly interface: LinkInterface;
  readonly #sockets = new Map<Family, MdnsSocket>();
  readonly #events: LinkEvents;
  readonly #clock: Clock;
  #unicast: Promise<readonly Socket[]> | null = null;
  #cancelInvite: () => void = () => {};
  #closed = false;

  constructor(on: LinkInterface, events: LinkEvents, clock: Clock) {
    this.interface = on;
    this.#events = events;
    this.#clock = clock;
  }

  get families(): readonly Family[] {
    return families.filter((family) => this.#sockets.has(family));
  }

  get missing(): readonly Family[] {
    return familiesOf(this.interface).filter((family) => !this.#sockets.has(family));
  }

  async reopen(): Promise<readonly Family[]> {
    const { missing } = this;
    const failures = await this.openMissing();
    for (const [family, failure] of failures) if (!this.#closed) this.#events.degraded(family, failure);
    return missing.filter((family) => this.#sockets.has(family));
  }

  /** Opens a socket for each missing family; resolves with the errors of those that failed. */
  async openMissing(): Promise<ReadonlyMap<Family, unknown>> {
    const failures = new Map<Family, unknown>();
    const open = async (family: Family): Promise<void> => {
      try {
        const socket = await openSocket(this.interface, family, this.#events);
        if (this.#closed) await socket.close();
        else this.#sockets.set(family, socket);
      } catch (error) {
        failures.set(family, error);
      }
    };
    await Promise.all(this.missing.map(open));
    return failures;
  }

  multicast(packet: Uint8Array, family: Family): void {
    const zone = family === "IPv6" ? `%${this.interface.name}` : "";
    this.send(packet, { address: `${mdnsGroups[family]}${zone}`, port: mdnsPort });
  }

  send(packet: Uint8Array, to: SocketAddress): void {
    // A sender may learn a moment late that the link was opened anew.
    if (!this.#closed) this.#sockets.get(familyOf(to.address))?.send(packet, to);
  }

  async invite(): Promise<boolean> {
    if (this.#closed) return false;
    this.#unicast ??= openUnicast(sendingAddresses(this.interface), (bytes, from) => {
      // A unicast packet may come from any network (RFC 6762 section 11).
      if (isOnLink(from.address, this.interface)) this.#events.packet(bytes, from);
    });
    const sockets = await this.#unicast;
    if (this.#closed) return false;
    this.#cancelInvite();
    this.#cancelInvite = this.#clock.schedule(inviteMs, () => this.#closeUnicast());
    return sockets.length > 0;
  }

  keepOut(all: readonly NetworkInterface[]): void {
    const others = all.filter(({ name }) => name !== this.interface.name);
    for (const socket of this.#sockets.values()) socket.keepOut(others);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelInvite();
    this.#closeUnicast();
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
  }

  #closeUnicast(): void {
    this.#unicast?.then((sockets) => {
      for (const socket of sockets) socket.close();
    });
    this.#unicast = null;
  }
}

/** Source addresses of multicast, one for each family: unicast answers go to them. */
function sendingAddresses(on: NetworkInterface): string[] {
  const linkLocal = addressesOf(on, "IPv6").find(isLinkLocal);
  return [...addressesOf(on, "IPv4").slice(0, 1), ...(linkLocal ? [`${linkLocal}%${on.name}`] : [])];
}
