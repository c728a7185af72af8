import { createSocket, type Socket } from "node:dgram";
import type { SendReport } from "../platform.ts";
import type { Target } from "./plan.ts";

/** Discard port (RFC 863): a host drops what arrives there. */
const discardPort = 9;
/**
 * Bound on a socket's datagrams: the kernel queues about 256 that wait for ARP, and drops the rest without an
 * error.
 */
const maxPerSocket = 128;

/**
 * Sends an empty datagram to each address, so that the kernel asks for it by ARP.
 *
 * A hop limit of 1 keeps the datagrams on the link, whatever the routes.
 */
export async function triggerArp(targets: readonly Target[]): Promise<SendReport> {
  const groups = groupBy(targets, ({ from }) => from);
  const batches = groups.flatMap((group) => chunks(group, maxPerSocket));
  const reports = await Promise.all(batches.map(triggerFromOneSocket));
  const sent = reports.reduce((sum, report) => sum + report.sent, 0);
  return { sent, failure: reports.find(({ failure }) => failure !== null)?.failure ?? null };
}

async function triggerFromOneSocket(targets: readonly Target[]): Promise<SendReport> {
  const socket = createSocket("udp4");
  let sent = 0;
  let failure: NodeJS.ErrnoException | null = null;
  try {
    await bind(socket, targets[0]?.from);
    socket.setTTL(1);
    await Promise.all(
      targets.map(async ({ address }) => {
        const error = await send(socket, address);
        if (error) failure = error;
        else sent += 1;
      }),
    );
  } catch (error) {
    failure = error as NodeJS.ErrnoException; // Error of the system, from `bind` or `setTTL`.
  } finally {
    // Datagrams that wait for ARP in the kernel still leave.
    socket.close();
  }
  return { sent, failure };
}

function bind(socket: Socket, address: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port: 0, ...(address !== undefined && { address }) }, () => {
      socket.off("error", reject);
      // An error of one datagram does not concern the others.
      socket.on("error", () => {});
      resolve();
    });
  });
}

function send(socket: Socket, address: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    socket.send(new Uint8Array(0), discardPort, address, resolve);
  });
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    group.push(item);
    groups.set(keyOf(item), group);
  }
  return [...groups.values()];
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
