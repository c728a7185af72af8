import { createSocket, type Socket } from "node:dgram";
import { networkInterfaces, platform } from "node:os";
import multicastDns from "multicast-dns";
import type { NetworkInterface } from "./interfaces.ts";
import { type Endpoint, type Link, type LinkEvents, mdnsGroup, mdnsPort } from "./link.ts";

/** Nobody sends from it (RFC 5737), so that a membership for this source alone receives nothing. */
const nobody = "192.0.2.254";

/**
 * Opens a socket that sends and receives on one interface only.
 *
 * `multicast-dns` binds, joins the group and keeps the membership; packets go past its codec, which can
 * neither write nor read all of DNS-SD.
 */
export async function openSocket(on: NetworkInterface, events: LinkEvents): Promise<Link> {
  const [own] = on.addresses;
  if (!own) throw new TypeError(`interface ${on.name} has no address`);
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const shell = multicastDns({
    socket,
    interface: own.address,
    bind: bindAddress(),
    loopback: true,
    ttl: 255,
  });
  try {
    await opened(shell);
  } catch (error) {
    shell.destroy();
    throw error;
  }
  // Unicast answers are for the link as well (RFC 6762 section 11).
  socket.setTTL(255);
  keepOthersOut(socket, on);
  shell.on("error", events.died);
  shell.on("warning", (warning: Error) => {
    if (isSystemError(warning)) events.died(warning);
  });
  socket.on("message", (bytes, { address, port }) => events.packet(bytes, { address, port }));
  return {
    interface: on,
    send(packet: Uint8Array, to: Endpoint = { address: mdnsGroup, port: mdnsPort }) {
      socket.send(packet, to.port, to.address, (error) => {
        if (error) events.sendFailed(error);
      });
    },
    close: () => new Promise((resolve) => shell.destroy(resolve)),
  };
}

/** Resolves when the port is bound and the group joined. The shell repeats errors, so that listeners stay. */
function opened(shell: multicastDns.MulticastDNS): Promise<void> {
  return new Promise((resolve, reject) => {
    shell.on("error", reject);
    shell.on("warning", (warning: Error) => {
      if (isSystemError(warning)) reject(warning);
    });
    shell.once("ready", resolve);
  });
}

/** Bound to the group, a socket receives nothing that was sent to the host alone; Windows cannot. */
function bindAddress(): string {
  return platform() === "win32" ? "0.0.0.0" : mdnsGroup;
}

/** The shell's other warnings are packets that its own codec cannot read. */
function isSystemError(error: Error): boolean {
  return "syscall" in error;
}

/**
 * Linux delivers a group's packets of every interface on which anybody joined to every socket bound to the
 * group, unless the socket has a membership there that excludes the sender.
 *
 * A socket may hold 20 memberships (`igmp_max_memberships`); what is beyond stays open, and packets from
 * other links are then merely answered on this one.
 */
function keepOthersOut(socket: Socket, on: NetworkInterface): void {
  if (platform() !== "linux") return;
  for (const address of addressesOfOthers(on)) {
    try {
      socket.addSourceSpecificMembership(nobody, mdnsGroup, address);
    } catch (error) {
      if (!(error instanceof Error && isSystemError(error))) throw error;
    }
  }
}

function addressesOfOthers(on: NetworkInterface): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) => {
    const ipv4 = infos.find((info) => info.family === "IPv4");
    return ipv4 && name !== on.name ? [ipv4.address] : [];
  });
}
