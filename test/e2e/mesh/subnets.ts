import type { Host, Place } from "@lmserv/test-netlab";
import { addBridge, ip, plug } from "../network/wiring.ts";
import type { Spot } from "./member.ts";

/**
 * Moves hosts into a subnet of their own, 10.77.1.0/24, on a bridge of its own behind a host that routes.
 *
 * Packets to single hosts pass the router, multicast does not. Resolves with their new addresses.
 */
export async function moveBehind(
  lan: { readonly switch: Place; readonly hosts: readonly Host[] },
  router: Host,
  hosts: readonly Host[],
): Promise<readonly Spot[]> {
  await addBridge(lan, "br1");
  await plug(lan, router, { name: "eth1", address: "10.77.1.254", bridge: "br1" });
  await forward(router);
  const moved = hosts.map((host) => ({ host, address: host.address.replace("10.77.0.", "10.77.1.") }));
  for (const { host, address } of moved) {
    await ip(lan.switch, `link set ${host.name} master br1`);
    await ip(host, `addr del ${host.address}/24 dev eth0`);
    await ip(host, `addr add ${address}/24 brd + dev eth0`);
    await ip(host, "route add 10.77.0.0/24 via 10.77.1.254");
  }
  const others = lan.hosts.filter((host) => host !== router && !hosts.includes(host));
  for (const host of others) await ip(host, `route add 10.77.1.0/24 via ${router.address}`);
  return moved;
}

async function forward(router: Host): Promise<void> {
  const { code, stderr } = await router.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
  if (code !== 0) throw new Error(`${router.name} does not forward: ${stderr.trim()}`);
}
