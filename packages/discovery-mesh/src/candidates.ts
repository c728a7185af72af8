import type { NodeInfo } from "@lmserv/discovery-core";
import { formatEndpoint, isLoopback, type TransportContext } from "@lmserv/discovery-core/transport";
import { defaultMeshPort, type ListenAddress } from "./link/listen-address.ts";
import { isMeshUrl } from "./link/mesh-url.ts";

/** The attribute in which a node says on other media where its mesh listens: a port, after `wss:` where that is due. */
const attribute = "mesh";

/** As many as a mesh has members: a flood of nodes on another medium is no flood of connections here. */
const maxCandidates = 256;
/** As many as a machine usually has, so that whoever names one host many times keeps no other out. */
const maxOfHost = 4;

export interface CandidateOptions {
  readonly follow: NonNullable<TransportContext["follow"]>;
  /** Our transport's: whom nobody else found is no news. */
  readonly name: string;
  /** Whether candidates are dialled over TLS only: nobody signed what they say, and so it takes no encryption off. */
  readonly secure: boolean;
  /** Takes the URLs of all candidates that there are now. */
  readonly onChange: (urls: readonly string[]) => void;
}

/** Looks among the nodes that other transports find for those that may be members; the result ends that. */
export function followCandidates({ follow, name, secure, onChange }: CandidateOptions): () => void {
  const urls = new Map<string, string>();
  return follow(({ kind, node }) => {
    const { id } = node;
    const url = kind === "down" ? null : urlOf(node, name, secure);
    if (url === (urls.get(id) ?? null)) return;
    if (url === null) urls.delete(id);
    else if (urls.has(id) || hasRoom(urls, url)) urls.set(id, url);
    else return;
    onChange([...new Set(urls.values())]);
  });
}

function hasRoom(urls: ReadonlyMap<string, string>, url: string): boolean {
  const { hostname } = new URL(url);
  const ofHost = [...urls.values()].filter((known) => new URL(known).hostname === hostname);
  return urls.size < maxCandidates && ofHost.length < maxOfHost;
}

/** What own nodes say elsewhere, so that others find their way here; nothing where nobody could come. */
export function attributesOf(
  listening: readonly ListenAddress[],
  secure: boolean,
): Readonly<Record<string, string>> {
  const open = listening.find(({ host }) => !isLoopback(host));
  return open ? { [attribute]: `${secure ? "wss:" : ""}${open.port}` } : {};
}

/** Who was merely seen to answer cannot say more: where members usually listen is worth a try. */
function urlOf({ host, self, sources, attributes }: NodeInfo, name: string, secure: boolean): string | null {
  if (self || sources.every(({ transport }) => transport === name)) return null;
  const isMute = sources[0]?.trust === "identified";
  const said = attributes[attribute] ?? (isMute ? `${secure ? "wss:" : ""}${defaultMeshPort}` : "");
  const [, wss, port] = /^(wss:)?(\d{1,5})$/.exec(said) ?? [];
  if (port === undefined || (secure && wss === undefined)) return null;
  const url = `${wss ?? "ws:"}//${formatEndpoint(host, Number(port))}`;
  return isMeshUrl(url) ? url : null;
}
