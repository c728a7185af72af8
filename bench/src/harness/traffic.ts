import type { Place } from "@lmserv/test-netlab";

/** Ethernet frames, and their bytes, headers and all. */
export interface Frames {
  readonly frames: number;
  readonly bytes: number;
}

/** Frames of a host since it was plugged in. */
export interface HostFrames {
  readonly sent: Frames;
  readonly received: Frames;
}

interface Counters {
  readonly packets: number;
  readonly bytes: number;
}

/** One line of `ip -s -j link`. */
interface Link {
  readonly ifname: string;
  readonly stats64: { readonly rx: Counters; readonly tx: Counters };
}

/** Frames of each host by its name, as its port at the switch has counted them. */
export async function framesOfHosts(hub: Place): Promise<ReadonlyMap<string, HostFrames>> {
  const { stdout } = await hub.run(["ip", "-s", "-j", "link", "show"]);
  const links: readonly Link[] = JSON.parse(stdout);
  return new Map(
    links.map(({ ifname, stats64: { rx, tx } }) => [ifname, { sent: framesOf(rx), received: framesOf(tx) }]),
  );
}

function framesOf({ packets, bytes }: Counters): Frames {
  return { frames: packets, bytes };
}
