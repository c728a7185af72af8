import { type Check, type Checker, checker } from "@lmserv/discovery-core/transport";
import { type InterfaceKind, kindByName, type System } from "@lmserv/discovery-network";

/** Reads a file of the system; null if it is missing or unreadable. */
export type ReadText = (path: string) => Promise<string | null>;

/** Environment of this machine's network. */
export interface Environment {
  /** Kind of container that this runs in, or null. */
  readonly container: string | null;
  /** Way in which Windows shares its network with this Linux, or null without Windows. */
  readonly wsl: "mirrored" | "nat" | null;
  /** Interfaces of the default routes; null if the system does not tell. */
  readonly defaultRoutes: readonly string[] | null;
  /** Default routes that look like a tunnel. */
  readonly tunnels: readonly string[];
  /** Firewalls of this machine whose rules only root can read. */
  readonly firewalls: readonly string[];
}

/** Findings about the environment. */
export const hostChecks = {
  "default-route": ["ok", "The way out of the local network is an ordinary one."],
  "no-default-route": ["warn", "There is no default route."],
  "vpn-suspected": ["warn", "The default route seems to lead through a VPN."],
  "container-suspected": ["warn", "This seems to be a container."],
  "wsl-suspected": ["warn", "This seems to be Linux on Windows."],
  "firewall-present": ["skip", "A firewall is in use whose rules only root can read."],
  "servers-found": ["ok", "LLM servers are listed here."],
  "no-server-found": ["warn", "No LLM server of another machine is listed here."],
  "server-on-loopback": ["warn", "An LLM server of this machine accepts no connection of others."],
  "environment-unknown": ["skip", "This system does not tell its routes."],
} as const;

/** Makes checks of this machine and its surroundings. */
export const hostCheck: Checker<keyof typeof hostChecks> = checker("host", hostChecks, null);

type Env = Readonly<Record<string, string | undefined>>;

const wslName = /microsoft/i;
const containerGroups = /docker|kubepods|containerd|libpod|lxc/;

export async function readEnvironment(read: ReadText, env: Env, system: System): Promise<Environment> {
  const [container, wsl, defaultRoutes, firewalls] = await Promise.all([
    readContainer(read, env),
    readWsl(read),
    readDefaultRoutes(read),
    readFirewalls(read),
  ]);
  const tunnels = (defaultRoutes ?? []).filter((name) => kindOfInterface(name, system) === "tunnel");
  return { container, wsl, defaultRoutes, tunnels, firewalls };
}

async function readContainer(read: ReadText, env: Env): Promise<string | null> {
  if (env.KUBERNETES_SERVICE_HOST) return "Kubernetes pod";
  if ((await read("/.dockerenv")) !== null) return "Docker container";
  if ((await read("/run/.containerenv")) !== null) return "Podman container";
  const [group] = containerGroups.exec((await read("/proc/1/cgroup")) ?? "") ?? [];
  return group ? `container (${group})` : null;
}

async function readWsl(read: ReadText): Promise<Environment["wsl"]> {
  if (!wslName.test((await read("/proc/version")) ?? "")) return null;
  return (await read("/sys/class/net/loopback0/address")) === null ? "nat" : "mirrored";
}

/** A VPN may replace a default route by its two halves, at least for IPv4. */
async function readDefaultRoutes(read: ReadText): Promise<readonly string[] | null> {
  const [ipv4, ipv6] = await Promise.all([read("/proc/net/route"), read("/proc/net/ipv6_route")]);
  if (ipv4 === null && ipv6 === null) return null;
  const halves = new Set(["00000000", "00000080"]);
  const over4 = rowsOf(ipv4).flatMap(([name = "", to = "", , , , , , mask = ""]) =>
    halves.has(to) && halves.has(mask) ? [name] : [],
  );
  const over6 = rowsOf(ipv6).flatMap((columns) =>
    /^0{32}$/.test(columns[0] ?? "") && columns[1] === "00" ? [columns[9] ?? ""] : [],
  );
  return [...new Set([...over4, ...over6])].filter((name) => name !== "" && name !== "lo");
}

function rowsOf(table: string | null): string[][] {
  return (table ?? "").split("\n").map((line) => line.trim().split(/\s+/));
}

/** An interface without an address is not listed: its name decides. */
function kindOfInterface(name: string, { interfaces }: System): InterfaceKind {
  return interfaces.find((one) => one.name === name)?.kind ?? kindByName(name);
}

async function readFirewalls(read: ReadText): Promise<readonly string[]> {
  const [ufw, firewalld] = await Promise.all([read("/etc/ufw/ufw.conf"), read("/run/firewalld.pid")]);
  return [...(/^ENABLED=yes/im.test(ufw ?? "") ? ["ufw"] : []), ...(firewalld === null ? [] : ["firewalld"])];
}

/** Checks of the environment for causes that keep nodes from being found. */
/** @param isReached - Other hosts are known to be reached, so that guesses of what keeps them away are wrong. */
export function environmentChecks(environment: Environment, isReached: boolean): readonly Check[] {
  const { container, wsl, firewalls } = environment;
  return [
    ...routeChecks(environment),
    ...(container && !isReached
      ? [
          hostCheck("container-suspected", {
            message: `this seems to be a ${container}: on a network of its own, neither multicast nor ARP leads out`,
            fix: "run it on the host's network (docker run --network host; hostNetwork: true), or outside",
          }),
        ]
      : []),
    ...(wsl === null || isReached ? [] : [wslCheck(wsl)]),
    ...firewalls.map((name) =>
      hostCheck("firewall-present", {
        message: `${name} guards this machine; its rules cannot be read from here`,
        fix: "if others do not see this machine, let UDP port 5353 and the server's own port in",
      }),
    ),
  ];
}

function routeChecks({ defaultRoutes, tunnels }: Environment): readonly Check[] {
  if (defaultRoutes === null) {
    return [hostCheck("environment-unknown", { message: "this system does not tell its routes" })];
  }
  if (defaultRoutes.length === 0) {
    return [
      hostCheck("no-default-route", {
        message: "there is no default route: other mDNS programs may neither send nor receive",
        fix: "nothing, on a network without a router; else connect this machine to one",
      }),
    ];
  }
  const [first] = tunnels;
  if (first === undefined) {
    const message = `the default route leaves through ${defaultRoutes.join(", ")}`;
    return [hostCheck("default-route", { message })];
  }
  return [
    hostCheck("vpn-suspected", {
      interface: first,
      message: `the default route leaves through ${first}, which looks like a VPN`,
      fix: "if hosts of the LAN are not found, allow access to the local network in the VPN, or disconnect it",
    }),
  ];
}

function wslCheck(wsl: "mirrored" | "nat"): Check {
  return wsl === "nat"
    ? hostCheck("wsl-suspected", {
        message:
          "this seems to be WSL behind address translation: the LAN is out of reach of multicast and ARP",
        fix: "run it on Windows itself, or set networkingMode=mirrored in .wslconfig and use a transport without multicast",
      })
    : hostCheck("wsl-suspected", {
        message: "this seems to be WSL with mirrored networking, where multicast DNS does not arrive",
        fix: "run it on Windows itself, or use a transport without multicast",
      });
}
