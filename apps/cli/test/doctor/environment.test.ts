import type { System } from "@lmserv/discovery-network";
import { expect, it } from "vitest";
import { environmentChecks, readEnvironment } from "../../src/doctor/environment.ts";

type Files = Readonly<Record<string, string>>;

const row4 = (name: string, to: string, mask: string): string =>
  `${name}\t${to}\t0100000A\t0003\t0\t0\t0\t${mask}\t0\t0\t0\n`;
const header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
const route = header + row4("eth0", "00000000", "00000000") + row4("eth0", "0000000A", "00FFFFFF");
const zeros = "0".repeat(32);

const work = { name: "work", kind: "tunnel", index: 3, mac: "", addresses: [] } as const;
const system: System = { interfaces: [work] };

async function examine(files: Files, env: Files = {}) {
  const environment = await readEnvironment(async (path) => files[path] ?? null, env, system);
  return environmentChecks(environment, false);
}

it.each<[string, Files, string, string]>([
  ["an ordinary machine", { "/proc/net/route": route }, "host/default-route", "through eth0"],
  ["no route at all", { "/proc/net/route": header }, "host/no-default-route", "no default route"],
  ["a system that does not tell", {}, "host/environment-unknown", "routes"],
  [
    "a route of IPv6 only",
    {
      "/proc/net/ipv6_route": `${zeros} 00 ${zeros} 00 fe80 00000400 1 0 00000003 eth1\n${zeros} 00 ${zeros} 00 ${zeros} ffffffff 1 0 00200200 lo\n`,
    },
    "host/default-route",
    "through eth1",
  ],
  [
    "a VPN by its name, in two halves",
    {
      "/proc/net/route": header + row4("tun0", "00000000", "00000080") + row4("tun0", "00000080", "00000080"),
    },
    "host/vpn-suspected",
    "through tun0",
  ],
  [
    "a VPN by its kind",
    { "/proc/net/route": header + row4("work", "00000000", "00000000") },
    "host/vpn-suspected",
    "through work",
  ],
])("%s", async (_, files, code, message) => {
  const found = await examine(files);
  expect(found).toMatchObject([{ code, transport: null, message: expect.stringContaining(message) }]);
});

it.each<[string, Files, Files, string, string]>([
  ["Docker", { "/.dockerenv": "" }, {}, "host/container-suspected", "Docker container"],
  ["Podman", { "/run/.containerenv": "" }, {}, "host/container-suspected", "Podman container"],
  [
    "another container",
    { "/proc/1/cgroup": "1:name=systemd:/lxc/box\n" },
    {},
    "host/container-suspected",
    "container (lxc)",
  ],
  ["Kubernetes", {}, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, "host/container-suspected", "Kubernetes pod"],
  [
    "WSL behind NAT",
    { "/proc/version": "Linux version 6.6.87.2-microsoft-standard-WSL2" },
    {},
    "host/wsl-suspected",
    "behind address translation",
  ],
  [
    "WSL, mirrored",
    {
      "/proc/version": "Linux version 6.6.87.2-microsoft-standard-WSL2",
      "/sys/class/net/loopback0/address": "00:00:00:00:00:00\n",
    },
    {},
    "host/wsl-suspected",
    "mirrored",
  ],
  ["ufw", { "/etc/ufw/ufw.conf": "# ufw\nENABLED=yes\n" }, {}, "host/firewall-present", "ufw"],
  ["firewalld", { "/run/firewalld.pid": "812" }, {}, "host/firewall-present", "firewalld"],
])("%s is noticed", async (_, files, env, code, message) => {
  const [, ...found] = await examine({ "/proc/net/route": route, ...files }, env);
  expect(found).toMatchObject([{ code, message: expect.stringContaining(message) }]);
});

it("a firewall that is off is none", async () => {
  expect(await examine({ "/proc/net/route": route, "/etc/ufw/ufw.conf": "ENABLED=no\n" })).toHaveLength(1);
});

it("suspects no container and no WSL where other hosts are reached", async () => {
  const files: Files = { "/proc/net/route": route, "/.dockerenv": "", "/proc/version": "Linux microsoft" };
  const environment = await readEnvironment(async (path) => files[path] ?? null, {}, system);
  const codes = (isReached: boolean): readonly string[] =>
    environmentChecks(environment, isReached).map(({ code }) => code);
  expect(codes(false)).toEqual(["host/default-route", "host/container-suspected", "host/wsl-suspected"]);
  expect(codes(true)).toEqual(["host/default-route"]);
});
