import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { hasProgram } from "../program.ts";
import { python } from "../script.ts";

/** Foreign program that tests talk to; the packet tap and gun run on `python`. */
export type PeerName =
  | "python"
  | "python-zeroconf"
  | "avahi"
  | "etcd"
  | "nats"
  | "prometheus"
  | "caddy"
  | "chromium";

const run = promisify(execFile);

const pythonRuns = (code: string): Promise<boolean> =>
  run(python, ["-c", code]).then(
    () => true,
    () => false,
  );

/** Debian package of each part, with a check if it is there. */
const parts: Readonly<Record<PeerName, readonly (readonly [string, () => Promise<boolean> | boolean])[]>> = {
  python: [["python3", () => pythonRuns("")]],
  "python-zeroconf": [["python3-zeroconf", () => pythonRuns("import zeroconf.asyncio")]],
  etcd: [["etcd-server", () => hasProgram("etcd")]],
  nats: [["nats-server", () => hasProgram("nats-server")]],
  prometheus: [["prometheus", () => hasProgram("prometheus") && hasProgram("promtool")]],
  caddy: [["caddy", () => hasProgram("caddy")]],
  chromium: [["chromium", () => hasProgram("chromium")]],
  avahi: [
    ["avahi-daemon", () => hasProgram("avahi-daemon")],
    ["avahi-utils", () => hasProgram("avahi-browse") && hasProgram("avahi-publish")],
    ["dbus-daemon", () => hasProgram("dbus-daemon")],
  ],
};

const answers = new Map<PeerName, Promise<readonly string[]>>();

/** Debian packages that `peers` lack; checked once per process. */
export async function missingPeers(
  peers: readonly PeerName[] = ["python", "python-zeroconf", "avahi"],
): Promise<readonly string[]> {
  const lists = peers.map((peer) => {
    const answer = answers.get(peer) ?? missingParts(peer);
    answers.set(peer, answer);
    return answer;
  });
  return (await Promise.all(lists)).flat();
}

async function missingParts(peer: PeerName): Promise<readonly string[]> {
  const found = await Promise.all(parts[peer].map(async ([name, there]) => ({ name, there: await there() })));
  return found.filter(({ there }) => !there).map(({ name }) => name);
}
