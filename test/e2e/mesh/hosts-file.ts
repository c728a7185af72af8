import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "@lmserv/test-netlab";
import { temporaryFolder } from "../command/temporary-folder.ts";

/** A file of names that commands see in the place of `/etc/hosts`; it stands for a DNS that changes. */
export interface HostsFile extends AsyncDisposable {
  /** Gives the only name another address, for commands that run already as well. */
  point(name: string, address: string): Promise<void>;
  wrap(command: Command): Command;
}

export async function hostsFile(): Promise<HostsFile> {
  const folder = await temporaryFolder();
  const file = join(folder.path, "hosts");
  // Written in place: what is mounted is this file, not its name.
  const point = (name: string, address: string): Promise<void> => writeFile(file, `${address} ${name}\n`);
  await writeFile(file, "");
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
  return {
    point,
    wrap: (command) => ["unshare", "--mount", "sh", "-c", script, file, ...command],
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
