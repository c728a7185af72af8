import { createDiscovery, type Discovery } from "@lmserv/discovery-core";
import type { HealthMonitor, Transport } from "@lmserv/discovery-core/transport";
import { mdns } from "@lmserv/discovery-mdns";
import type { Library, Tell } from "./program.ts";

/** Our library as a peer, which checks the nodes that it lists where it is given a monitor. */
export function lmserv(
  monitor?: HealthMonitor,
  transports: readonly Transport[] = [mdns()],
): Library<Discovery> {
  let checked: (id: string, state: string) => void = () => {};
  const health = monitor && tapped(monitor, (id, state) => checked(id, state));
  return {
    open: () => createDiscovery({ transports, ...(health && { health }) }),
    async announce(discovery, { info, port, chosen }) {
      const registration = await discovery.announce({ port, info, ...(chosen && { name: info }) });
      return () => registration[Symbol.asyncDispose]();
    },
    browse(discovery, tell) {
      const infos = new Map<string, string>();
      checked = (id, state) => {
        const info = infos.get(id);
        if (info !== undefined) tell({ event: "checked", info, state });
      };
      watch(discovery, infos, tell);
    },
    reconfirm(discovery, info) {
      const node = discovery.registry.listAlive().find((candidate) => candidate.info === info);
      return node && discovery.reconfirm(node.id);
    },
  };
}

/** The same monitor, whose results are told besides. */
function tapped(monitor: HealthMonitor, tell: (id: string, state: string) => void): HealthMonitor {
  return {
    start: (context) =>
      monitor.start({
        ...context,
        report(id, report) {
          tell(id, report.health.state);
          context.report(id, report);
        },
      }),
  };
}

async function watch(discovery: Discovery, infos: Map<string, string>, tell: Tell): Promise<void> {
  for await (const { kind, node } of discovery.watch()) {
    infos.set(node.id, node.info);
    if (kind !== "updated") tell({ event: kind, info: node.info });
  }
}
