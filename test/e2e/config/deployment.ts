import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host, HostProcess } from "@lmserv/test-netlab";
import { serve } from "../arp/neighbors.ts";
import { lmserv, type Watch, watchOf } from "../command/command.ts";

/** Folder from which a network's hosts start the command, with its configuration file. */
export interface Deployment {
  readonly folder: string;
}

/** One key for all, as a key file has it. */
const key = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk";

/** Writes a configuration file where the command looks for it first. */
export async function deploy(folder: string, config: object): Promise<Deployment> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "lmserv.config.jsonc"), JSON.stringify({ version: 1, ...config }, null, 2));
  await writeFile(join(folder, "mesh.key"), `${key}\n`, { mode: 0o600 });
  return { folder };
}

/** Runs a server and announces it, with these flags besides; resolves when the announcement has left. */
export async function announceServer(
  host: Host,
  deployment: Deployment,
  ...flags: readonly string[]
): Promise<HostProcess> {
  await serve(host, "lmserv", 8000);
  const args = ["announce", "--port", "8000", "--info", host.name, "--document-port", ...flags];
  const announcer = await start(host, deployment, ...args);
  await announcer.stderrLine((line) => line.includes("announced "));
  return announcer;
}

/** `lmserv discover --watch --json`, when it has begun; the servers are not asked how they are. */
export async function watchFrom(
  host: Host,
  deployment: Deployment,
  ...args: readonly string[]
): Promise<Watch> {
  return watchOf(await start(host, deployment, "discover", "--watch", "--json", "--no-check", ...args));
}

/** Starts the command; the hosts share the machine's files, and each needs an identity of its own. */
export function start(host: Host, { folder }: Deployment, ...args: readonly string[]): Promise<HostProcess> {
  const env = { XDG_STATE_HOME: join(folder, host.name) };
  return host.spawn(lmserv(...args), { cwd: folder, env });
}
