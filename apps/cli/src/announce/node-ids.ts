import type { Identity } from "@lmserv/discovery-signing";

/**
 * Identities of the servers that one process announces: the key's own for the first, `<key id>.<port>` for the
 * others. A signature by the key proves both.
 */
export class NodeIds {
  readonly #identity: Identity;
  #first: number | null;
  readonly #remember: (port: number) => Promise<void>;

  private constructor(identity: Identity, first: number | null, remember: (port: number) => Promise<void>) {
    this.#identity = identity;
    this.#first = first;
    this.#remember = remember;
  }

  /** Reads which server was the first at an earlier start, so that identities survive a restart. */
  static async open(identity: Identity): Promise<NodeIds> {
    const { keyFile } = identity;
    if (keyFile === null) return new NodeIds(identity, null, async () => {});
    const { readIfThere, replaceFile } = await import("@lmserv/discovery-signing");
    const file = `${keyFile}.first`;
    const saved = Number(await readIfThere(file).catch(() => null));
    const first = Number.isInteger(saved) && saved > 0 ? saved : null;
    // Without the file the next start may choose another first, and two servers swap identities.
    return new NodeIds(identity, first, (port) => replaceFile(file, `${port}\n`).catch(() => {}));
  }

  /** Identity of the server on a port, the same at every call. */
  async of(port: number): Promise<string> {
    if (this.#first === null) {
      this.#first = port;
      await this.#remember(port);
    }
    const { id } = this.#identity.key;
    return port === this.#first ? id : `${id}.${port}`;
  }
}
