import { once } from "node:events";
import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, readlink, unlink } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import { dirname, isAbsolute, join } from "node:path";
import type { DiscoverDocument } from "@lmserv/discovery-gateway/document";

/** Folders of the list's socket, with their owners. */
export interface ListPlaces {
  /** Folder of a process of root, such as `/run/lmserv`. */
  readonly system: string;
  /** Folder of the user, or null if the system has none. */
  readonly own: string | null;
  readonly uid: number;
  /** True if the system made its folder for this process, which is a service. */
  readonly isService: boolean;
}

/** Socket for the list of this network stack: processes of other stacks may share the folder. */
async function socketIn(folder: string): Promise<string> {
  const stack = await readlink("/proc/self/ns/net").catch(() => "");
  return join(folder, `list${stack.replace(/\D/g, "")}.sock`);
}

/**
 * Time limit of an answer in ms: a process on this machine answers at once, unless it was stopped, or the
 * machine is overloaded.
 */
const answerMs = 3_000;
/** Bound on a list: ten thousand nodes with long lists of models. */
const maxBytes = 64 * 1_048_576;
/** Users that systemd makes for services only (systemd.exec(5), `DynamicUser`). */
const dynamicUids = { first: 61_184, last: 65_519 };

export function systemPlaces(env: Readonly<Record<string, string | undefined>>): ListPlaces {
  const { XDG_RUNTIME_DIR: runtime = "", RUNTIME_DIRECTORY: given = "" } = env;
  const own = isAbsolute(runtime) ? join(runtime, "lmserv") : null;
  const system = "/run/lmserv";
  return { system, own, uid: process.getuid?.() ?? -1, isService: given.split(":").includes(system) };
}

/**
 * Serves a list to other processes of this machine; null if another one does, or the system has no place for
 * it.
 *
 * @param document - Returns the list, or null while it may be missing nodes.
 * @param isPublic - True to show a list of root's, or of a service of the system, to every user.
 */
export async function serveList(
  document: () => DiscoverDocument | null,
  isPublic: boolean,
  { system, own, uid, isService }: ListPlaces,
): Promise<AsyncDisposable | null> {
  const isSystem = uid === 0 || isService;
  const folder = isSystem ? system : own;
  if (folder === null) return null;
  const path = await socketIn(folder);
  const server = createServer((_, response) => {
    const list = document();
    response.writeHead(list ? 200 : 503, { "content-type": "application/json", connection: "close" });
    response.end(list ? JSON.stringify(list) : "");
  });
  try {
    await mkdir(folder, { recursive: true, mode: isSystem ? 0o755 : 0o700 });
    if (await isServed(path)) return null;
    await unlink(path).catch(() => {});
    server.listen(path);
    await once(server, "listening");
    await chmod(path, isSystem && isPublic ? 0o666 : 0o600);
  } catch {
    // Without it other processes search by themselves.
    server.close();
    return null;
  }
  return { [Symbol.asyncDispose]: () => close(server) };
}

/**
 * Reads the list of a process of root, of this user or of a service of the system; null without an answer.
 */
export async function readList({ system, own, uid }: ListPlaces): Promise<DiscoverDocument | null> {
  for (const folder of [own, system]) {
    if (folder === null || !(await isTrusted(folder, uid))) continue;
    const list = await ask(await socketIn(folder)).catch(() => null);
    if (list) return list;
  }
  return null;
}

/** True if only root, this user or a service of the system could have put the socket there. */
async function isTrusted(folder: string, uid: number): Promise<boolean> {
  try {
    const path = await socketIn(folder);
    const [above, place, socket] = await Promise.all([lstat(dirname(folder)), lstat(folder), lstat(path)]);
    const isService = isDynamic(place.uid) && socket.uid === place.uid && above.uid === 0 && isClosed(above);
    const isOwned = [place, socket].every((one) => one.uid === 0 || one.uid === uid);
    return (isOwned || isService) && place.isDirectory() && socket.isSocket() && isClosed(place);
  } catch {
    return false;
  }
}

/** True for a user that systemd made for a service. */
function isDynamic(uid: number): boolean {
  return uid >= dynamicUids.first && uid <= dynamicUids.last;
}

/** True if only its owner can put a file there. */
function isClosed({ mode }: Stats): boolean {
  return (mode & 0o022) === 0;
}

async function ask(socketPath: string): Promise<DiscoverDocument | null> {
  const signal = AbortSignal.timeout(answerMs);
  const request = httpRequest({ socketPath, path: "/", signal });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  if (response.statusCode !== 200) return null;
  const document: unknown = JSON.parse(Buffer.concat(chunks).toString());
  return isDocument(document) ? document : null;
}

/** Its author is root or this user: at most another version of the command. */
function isDocument(value: unknown): value is DiscoverDocument {
  if (typeof value !== "object" || value === null) return false;
  const { formatVersion, nodes } = value as Partial<DiscoverDocument>;
  return typeof formatVersion === "string" && formatVersion.startsWith("1.") && Array.isArray(nodes);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
