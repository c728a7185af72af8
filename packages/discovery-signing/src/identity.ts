import { chmod, rename, stat } from "node:fs/promises";
import { type Identity, type NodeKey, utf8Text } from "@lmserv/discovery-core/transport";
import { type MachineMark, thisMachine } from "@lmserv/discovery-network";
import { createFile, readIfThere, replaceFile } from "./durable-file.ts";
import { ownFiles } from "./key-owner.ts";
import { generateNodeKey, generateNodeKeyPem, importNodeKey } from "./node-key.ts";
import { stateDirectory } from "./state-directory.ts";

export interface IdentityOptions {
  /** Owner of the identity, such as `8000` for the node on that port: 1..64 characters. Each has its own. */
  readonly endpoint: string;
  /** Milliseconds since 1970; tells a start from the one before. */
  readonly wall: () => number;
  /** Folder of the key. @default `$XDG_STATE_HOME/lmserv` */
  readonly directory?: string;
  /**
   * Machine of the identity: a copy of the folder on another one gets an identity of its own. @default this
   * machine
   */
  readonly machine?: MachineMark;
  /** Receives errors that were worked around. @default ignored */
  readonly onWarning?: (message: string, cause: unknown) => void;
}

const maxEndpointLength = 64;

/**
 * Identity of an endpoint of this machine, made at its first start and the same ever after.
 *
 * A copy of its folder on another machine is recognized by that machine's cards, and gets another identity.
 * Without a writable folder the identity lasts as long as the process. An unreadable file is kept aside.
 *
 * @throws {RangeError} for an endpoint that is empty or too long.
 */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { endpoint, wall, directory = stateDirectory(), onWarning = () => {} } = options;
  const { machine = thisMachine() } = options;
  if (endpoint.length < 1 || endpoint.length > maxEndpointLength) {
    throw new RangeError(
      `endpoint ${JSON.stringify(endpoint)} must have 1 to ${maxEndpointLength} characters`,
    );
  }
  try {
    const name = `node-${encodeURIComponent(endpoint)}`;
    const path = await ownFiles({ directory, name, machine, onWarning });
    const keyFile = `${path}.key`;
    const key = await openKey(keyFile, onWarning);
    const store = new EpochFile(`${path}.epoch`, onWarning);
    return {
      key,
      epoch: await store.begin(wall()),
      keyFile,
      advance: (epoch) => store.write(epoch),
    };
  } catch (cause) {
    onWarning(`no identity can be kept in ${directory}: this one ends with the process`, cause);
    return ephemeralIdentity(wall());
  }
}

/** Identity that was never used before and ends with the process. */
export function ephemeralIdentity(wallMs: number): Identity {
  const epoch = Math.max(1, Math.floor(wallMs));
  return { key: generateNodeKey(), epoch, keyFile: null, advance: async () => {} };
}

/** Final part of a message: tells how to separate two processes with one key. */
export function copiedKeyAdvice({ keyFile }: Identity): string {
  return keyFile === null
    ? "end one of them, or give each a key of its own"
    : `end one of them, or where its folder is a copy, delete ${keyFile} there and start it again`;
}

/** Reads or makes the key; of two processes that make it at once, one wins and both use its key. */
async function openKey(path: string, onWarning: NonNullable<IdentityOptions["onWarning"]>): Promise<NodeKey> {
  const pem = await readIfThere(path);
  if (pem !== null) {
    try {
      const key = importNodeKey(utf8Text(pem));
      await hideFromOthers(path, onWarning);
      return key;
    } catch (cause) {
      const aside = `${path}.corrupt`;
      await rename(path, aside);
      const why = cause instanceof RangeError ? ` (it ${cause.message})` : "";
      onWarning(
        `${path} holds no key${why}: it is kept as ${aside}, and the node gets a new identity`,
        cause,
      );
    }
  }
  const made = generateNodeKeyPem();
  if (await createFile(path, made)) return importNodeKey(made);
  const winner = await readIfThere(path);
  return importNodeKey(winner ?? "");
}

async function hideFromOthers(
  path: string,
  onWarning: NonNullable<IdentityOptions["onWarning"]>,
): Promise<void> {
  // Windows has no such modes.
  if (process.platform === "win32") return;
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  onWarning(`${path} could be read by others; from now on only by its owner`, null);
  await chmod(path, 0o600);
}

/** File that keeps the epoch from one start to the next. */
class EpochFile {
  readonly #path: string;
  readonly #onWarning: NonNullable<IdentityOptions["onWarning"]>;

  constructor(path: string, onWarning: NonNullable<IdentityOptions["onWarning"]>) {
    this.#path = path;
    this.#onWarning = onWarning;
  }

  /** Above the last one, also after the wall clock was set back. */
  async begin(wallMs: number): Promise<number> {
    const saved = parseEpoch(await readIfThere(this.#path));
    const epoch = Math.max(saved + 1, Math.floor(wallMs));
    await this.write(epoch);
    return epoch;
  }

  /** A failure is a warning: peers tell the next start when its epoch is too low. */
  async write(epoch: number): Promise<void> {
    try {
      await replaceFile(this.#path, `${epoch}\n`);
    } catch (cause) {
      this.#onWarning(`${this.#path} cannot be written`, cause);
    }
  }
}

function parseEpoch(text: string | null): number {
  const epoch = Number(text ?? 0);
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0;
}
