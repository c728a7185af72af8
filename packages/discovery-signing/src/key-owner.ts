import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isSameMachine, type MachineMark, maxMacs } from "@lmserv/discovery-network";
import { createFile, readIfThere, replaceFile } from "./durable-file.ts";
import { readMark } from "./machine-mark.ts";
import { readObject, ShapeError } from "./shape.ts";

export interface OwnFilesOptions {
  readonly directory: string;
  /** Purpose of the files, a part of their names. */
  readonly name: string;
  readonly machine: MachineMark;
  readonly onWarning: (message: string, cause: unknown) => void;
}

/** Bound on owners: a shared home of a cluster has one for each computer. */
const maxOwners = 1_024;
const maxOwnerBytes = 1_024;
const ending = ".machine";
const copyMark = /^\.[0-9a-f]{16}$/;

/**
 * Path, without the ending, of this machine's files of a name.
 *
 * A folder that was copied or is shared by several machines has files of each. `PATH.machine` names the owner
 * of `PATH.key`. A key without an owner goes to the first machine that asks.
 */
export async function ownFiles(options: OwnFilesOptions): Promise<string> {
  const { directory, name, machine, onWarning } = options;
  const first = join(directory, name);
  const [tag] = [...machine.macs, machine.installation];
  // Without a mark nothing tells a copy from a restart.
  if (!tag) return first;
  const isOrphan = (await readIfThere(`${first}.key`)) !== null && (await ownerOf(first)) === null;
  const known = isOrphan ? null : await knownFiles(options);
  if (known !== null) return known;
  if (isSameMachine(await claim(first, machine), machine) !== false) return first;
  const own = `${first}.${tag}`;
  await claim(own, machine);
  onWarning(
    `${first}.key belongs to another machine, as its folder was copied or is shared: this machine gets an identity of its own, kept in ${own}.key. If this is the same machine with other network cards, delete ${first}${ending} and start again to keep the old identity`,
    null,
  );
  return own;
}

/** Files of this machine; of several, those with the fewest cards missing here. */
async function knownFiles({ directory, name, machine }: OwnFilesOptions): Promise<string | null> {
  let best: { readonly path: string; readonly owner: MachineMark; readonly missing: number } | null = null;
  for (const path of await ownedFiles(directory, name)) {
    const owner = await ownerOf(path);
    if (!owner || isSameMachine(owner, machine) !== true) continue;
    const missing = owner.macs.filter((mac) => !machine.macs.includes(mac)).length;
    if (!best || missing < best.missing) best = { path, owner, missing };
  }
  if (best) await refresh(best.path, best.owner, machine);
  return best?.path ?? null;
}

/** Files with an owner, the first one first. */
async function ownedFiles(directory: string, name: string): Promise<readonly string[]> {
  const files = await readdir(directory).catch(() => []);
  const stems = files
    .filter((file) => file.startsWith(name) && file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .filter((stem) => stem === name || copyMark.test(stem.slice(name.length)));
  return stems
    .sort()
    .slice(0, maxOwners)
    .map((stem) => join(directory, stem));
}

/** Claims the files for this machine unless they have an owner; returns the owner. */
async function claim(path: string, machine: MachineMark): Promise<MachineMark> {
  if (await createFile(`${path}${ending}`, write(machine))) return machine;
  const owner = await ownerOf(path);
  if (owner) return owner;
  await replaceFile(`${path}${ending}`, write(machine));
  return machine;
}

/** Cards come and go: the next start is compared with the present cards. */
async function refresh(path: string, owner: MachineMark, machine: MachineMark): Promise<void> {
  const isPoorer = machine.macs.length === 0 && owner.macs.length > 0;
  if (isPoorer || write(owner) === write(machine)) return;
  await replaceFile(`${path}${ending}`, write(machine));
}

/** Null for a missing or invalid file. */
async function ownerOf(path: string): Promise<MachineMark | null> {
  const text = await readIfThere(`${path}${ending}`);
  try {
    return text === null ? null : readMark(readObject(text, maxOwnerBytes), "machine");
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

/** The network stack is left out: it changes with each boot. */
function write({ macs, installation }: MachineMark): string {
  return `${JSON.stringify({ stack: null, macs: macs.slice(0, maxMacs), installation })}\n`;
}
