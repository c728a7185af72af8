import type { Listener } from "@lmserv/discovery-network";
import type { PortWatchOptions } from "./port-watch.ts";

export interface ChildPortsOptions extends Pick<PortWatchOptions, "ports" | "isNamed" | "readListeners"> {
  /** Inodes of the sockets of a process and its descendants, or null if the system does not tell. */
  readonly readSocketsBelow: (pid: number) => Promise<ReadonlySet<string> | null>;
  readonly isAccepted: PortWatchOptions["isAccepted"];
}

/**
 * Looks without the child's process before a socket counts as foreign: it may be on its way between two
 * processes.
 */
const looksForStranger = 2;

/**
 * Ports on which a child process begins to listen.
 *
 * On Linux the sockets of its processes tell. Elsewhere, and for a port that the user named, every port
 * counts that was not open before.
 */
export class ChildPorts {
  readonly #options: ChildPortsOptions;
  /** Sockets and open ports from before the child. */
  readonly #earlier: { readonly inodes: ReadonlySet<string>; readonly ports: Set<number> };
  #pid = 0;
  #own = new Set<string>();
  #strangers = new Map<string, number>();

  private constructor(options: ChildPortsOptions, inodes: ReadonlySet<string>, ports: Set<number>) {
    this.#options = options;
    this.#earlier = { inodes, ports };
  }

  /** Records what is open before the child starts. */
  static async before(options: ChildPortsOptions, signal: AbortSignal): Promise<ChildPorts> {
    const { isNamed, ports, readListeners, isAccepted } = options;
    const listeners = await readListeners();
    const asked = listeners && !isNamed ? [] : ports;
    const open = await Promise.all(asked.map((port) => isAccepted(port, signal)));
    const inodes = new Set(listeners?.map(({ inode }) => inode));
    return new ChildPorts(options, inodes, new Set(asked.filter((_, index) => open[index])));
  }

  start(pid: number): void {
    this.#pid = pid;
  }

  /** True if another program had the port before the child. */
  isEarlier(port: number): boolean {
    return this.#earlier.ports.has(port);
  }

  /** Ports of the child besides the watched ones, if the system tells. */
  async others(): Promise<readonly number[]> {
    const { ports, readListeners, readSocketsBelow } = this.#options;
    const sockets = await readSocketsBelow(this.#pid);
    const listeners = (await readListeners()) ?? [];
    const own = listeners.filter(({ inode }) => sockets?.has(inode)).map(({ port }) => port);
    return [...new Set(own)].filter((port) => !ports.includes(port)).sort((a, b) => a - b);
  }

  /** Listening sockets that count, or null if the system does not tell. */
  async readListeners(): Promise<readonly Listener[] | null> {
    const listeners = await this.#options.readListeners();
    if (!listeners) return null;
    const { isNamed, ports } = this.#options;
    const later = listeners.filter(
      ({ inode, port }) => ports.includes(port) && !this.#earlier.inodes.has(inode),
    );
    return isNamed ? later : this.#ownOf(later);
  }

  /** True if an uncounted socket accepts connections at a port that counts. */
  async isAccepted(port: number, signal: AbortSignal): Promise<boolean> {
    const { isNamed, readListeners, isAccepted } = this.#options;
    if (!isNamed && (await readListeners())) return false;
    const isOpen = await isAccepted(port, signal);
    if (!this.#earlier.ports.has(port)) return isOpen;
    if (!isOpen) this.#earlier.ports.delete(port);
    return false;
  }

  /** Searches the processes only for new sockets: they are many. */
  async #ownOf(listeners: readonly Listener[]): Promise<readonly Listener[]> {
    const isNew = ({ inode }: Listener): boolean =>
      !this.#own.has(inode) && (this.#strangers.get(inode) ?? 0) < looksForStranger;
    const sockets = listeners.some(isNew) ? await this.#options.readSocketsBelow(this.#pid) : null;
    const own = new Set<string>();
    const strangers = new Map<string, number>();
    // Closed sockets are forgotten.
    for (const { inode } of listeners) {
      if (this.#own.has(inode) || sockets?.has(inode)) own.add(inode);
      else strangers.set(inode, (this.#strangers.get(inode) ?? 0) + (sockets ? 1 : 0));
    }
    this.#own = own;
    this.#strangers = strangers;
    return listeners.filter(({ inode }) => own.has(inode));
  }
}
