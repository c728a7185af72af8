import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { discover, lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { serve } from "../fingerprint/look-alike.ts";
import { EtcdHosts } from "../store/etcd-host.ts";

const meshKey = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk\n";
const servers = [
  ["llama.cpp", 8_080],
  ["lmserv", 8_000],
  ["ollama", 11_434],
] as const;
/** Key id, which has no dot. */
const keyId = /^[^.]+$/;

interface Plan {
  /** Runs the three servers. */
  readonly machine: Host;
  readonly watcher: Host;
  /** Options of the command on each of the two. */
  readonly options: { readonly machine: readonly string[]; readonly watcher: readonly string[] };
  /** Folder of the machine's keys. */
  readonly state: string;
}

/** Starts `lmserv announce`, lists its three nodes from the other host, and ends it. */
async function visit({ machine, watcher, options, state }: Plan) {
  const env = { XDG_STATE_HOME: state };
  const announcer = await machine.spawn(lmserv("announce", ...options.machine), { env });
  const args = ["--wait", "3", "--timeout", "2m", ...options.watcher];
  const { listing } = await discover(watcher, ...args);
  announcer.kill("SIGTERM");
  await announcer.exited;
  return listing.nodes
    .map(({ server, port, id, sources }) => ({ server, port, id, trust: sources.map(({ trust }) => trust) }))
    .sort((a, b) => String(a.server).localeCompare(String(b.server)));
}

/** Holds that each server is a signed node under an id of its own, and still is after a restart. */
async function expectThree(plan: Plan): Promise<void> {
  for (const [kind, port] of servers) await serve(plan.machine, kind, port);
  const nodes = await visit(plan);
  const first = nodes.map(({ id }) => id).find((id) => keyId.test(id));
  expect(first).toBeDefined();
  const others = nodes.filter(({ id }) => id !== first);
  expect(others.map(({ id }) => id)).toEqual(others.map(({ port }) => `${first}.${port}`));
  expect(nodes).toMatchObject(servers.map(([server, port]) => ({ server, port, trust: ["signed"] })));
  expect(await visit(plan)).toEqual(nodes);
}

describeNet("a machine with three servers", () => {
  test("is three signed nodes of a mesh, the same after a restart", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 2 });
    const [machine, watcher] = lan.hosts;
    const keyFile = join(folder.path, "mesh.key");
    await writeFile(keyFile, meshKey, { mode: 0o600 });
    const own = ["--transport", "mesh", "--key-file", keyFile];
    const options = { machine: own, watcher: [...own, "--seed", `ws://${machine.address}:7946`] };
    await expectThree({ machine, watcher, options, state: join(folder.path, "state") });
  });

  needsPeers(["etcd"])("is three signed nodes of an etcd, the same after a restart", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3 });
    const [machine, watcher, store] = lan.hosts;
    const etcd = new EtcdHosts([store], folder.path);
    await etcd.start();
    const own = ["--transport", "etcd", ...etcd.urls.flatMap((url) => ["--endpoint", url])];
    const options = { machine: own, watcher: own };
    await expectThree({ machine, watcher, options, state: join(folder.path, "state") });
  });
});
