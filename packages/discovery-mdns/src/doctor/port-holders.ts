import { readdir, readFile, readlink } from "node:fs/promises";
import { platform } from "node:os";
import { basename } from "node:path";
import { type Family, families } from "../link/interfaces.ts";

/** Another process with a socket on a port. */
export interface PortHolder {
  readonly families: readonly Family[];
  /** Null if this user may not look into the process. */
  readonly pid: number | null;
  readonly program: string | null;
  /** User that the process runs as. */
  readonly uid: number;
}

export interface UdpSocket {
  readonly family: Family;
  readonly inode: string;
  readonly uid: number;
}

const tables: Readonly<Record<Family, string>> = { IPv4: "/proc/net/udp", IPv6: "/proc/net/udp6" };
/** Some versions of Node give their main thread this name. */
const interpreters = /^(node|(node-)?MainThread|python[\d.]*|perl|ruby)$/;
/** Bound on the processes that are read; those beyond it are not examined. */
const maxProcesses = 16_384;

/** Holders of a UDP port, or null if the system does not tell, which only Linux does. */
export async function readPortHolders(port: number): Promise<readonly PortHolder[] | null> {
  if (platform() !== "linux") return null;
  const found = await Promise.all(families.map((family) => readSockets(family, port)));
  const sockets = found.flat();
  return sockets.length === 0 ? [] : await ownersOf(sockets);
}

async function readSockets(family: Family, port: number): Promise<readonly UdpSocket[]> {
  const text = await readFile(tables[family], "utf8").catch(() => "");
  return parseUdpTable(text, family, port);
}

/** Reads the sockets on a port out of `/proc/net/udp` or `udp6`. */
export function parseUdpTable(text: string, family: Family, port: number): readonly UdpSocket[] {
  const suffix = `:${port.toString(16).padStart(4, "0").toUpperCase()}`;
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = ""]) => local.endsWith(suffix))
    .map((columns) => ({ family, uid: Number(columns[7]), inode: columns[9] ?? "" }));
}

async function ownersOf(sockets: readonly UdpSocket[]): Promise<readonly PortHolder[]> {
  const left = new Map(sockets.map((socket) => [`socket:[${socket.inode}]`, socket]));
  const holders: PortHolder[] = [];
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids.slice(0, maxProcesses)) {
    if (left.size === 0) break;
    const held = await socketsOf(pid, left);
    const [first] = held;
    if (!first || pid === String(process.pid)) continue;
    holders.push({
      families: familiesOf(held),
      uid: first.uid,
      pid: Number(pid),
      program: await programOf(pid),
    });
  }
  return [...holders, ...strangers([...left.values()])];
}

/** Takes the sockets that the process has open; none if this user may not look into it. */
async function socketsOf(pid: string, left: Map<string, UdpSocket>): Promise<readonly UdpSocket[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => "")));
  return links.flatMap((link) => {
    const socket = left.get(link);
    left.delete(link);
    return socket ?? [];
  });
}

/** Name of the program; for an interpreter, with its script. */
async function programOf(pid: string): Promise<string | null> {
  const [name = "", line = ""] = await Promise.all(
    ["comm", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
  );
  const program = name.trim();
  if (!interpreters.test(program)) return program || null;
  const words = line.split("\0").filter((word) => word !== "" && !word.startsWith("-"));
  return (
    words
      .slice(0, 2)
      .map((word) => basename(word))
      .join(" ") || program
  );
}

/** Holders of the remaining sockets, whose processes this user may not look into: one for each user. */
function strangers(sockets: readonly UdpSocket[]): readonly PortHolder[] {
  return [...new Set(sockets.map(({ uid }) => uid))].map((uid) => ({
    families: familiesOf(sockets.filter((socket) => socket.uid === uid)),
    pid: null,
    program: null,
    uid,
  }));
}

function familiesOf(sockets: readonly UdpSocket[]): readonly Family[] {
  return families.filter((family) => sockets.some((socket) => socket.family === family));
}
