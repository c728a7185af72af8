import { cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { discover, type ListedNode, lmserv } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { EtcdHosts } from "../store/etcd-host.ts";

const meshKey = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk\n";

interface Announcer {
  readonly host: Host;
  /** Folder of its keys. */
  readonly state: string;
}

/** Announces a server under one port on a machine with this state folder. */
async function announce({ host, state }: Announcer, options: readonly string[]): Promise<HostProcess> {
  const argv = ["announce", "--port", "8000", "--info", host.name, "--no-check", ...options];
  const process = await host.spawn(lmserv(...argv), { env: { XDG_STATE_HOME: state } });
  await process.stderrLine((line) => line.includes("announced "));
  return process;
}

/** Both nodes, as a third machine lists them, in the order of their names. */
async function listFrom(host: Host, options: readonly string[]): Promise<readonly ListedNode[]> {
  const { listing } = await discover(host, "--wait", "2", "--timeout", "2m", ...options);
  return [...listing.nodes].sort((a, b) => a.info.localeCompare(b.info));
}

/** Starts both, lists them from the watcher, and ends them in order. */
async function visit(
  both: readonly [Announcer, Announcer],
  watcher: Host,
  options: readonly string[],
): Promise<{ readonly nodes: readonly ListedNode[]; readonly said: readonly string[] }> {
  const running = [await announce(both[0], options), await announce(both[1], options)];
  const nodes = await listFrom(watcher, options);
  for (const one of running) one.kill("SIGTERM");
  await Promise.all(running.map(({ exited }) => exited));
  return { nodes, said: running.map(({ stderrText }) => stderrText) };
}

/** Holds that each machine is listed at its own address, under an id that it keeps. */
async function expectBoth(both: readonly [Announcer, Announcer], watcher: Host, options: readonly string[]) {
  const first = await visit(both, watcher, options);
  // Besides the LAN's own addresses, mDNS lists link-local ones.
  const places = first.nodes.map(({ info, addresses }) => [
    info,
    ...addresses.filter((one) => !/^fe80:/.test(one)),
  ]);
  expect(places).toEqual(both.map(({ host }) => [host.name, host.address]));
  const ids = first.nodes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
  const later = await visit([both[1], both[0]], watcher, options);
  expect(later.nodes.map(({ id }) => id)).toEqual(ids);
  expect([...first.said, ...later.said].join("")).not.toContain("NAME_CONFLICT");
  return { first, later };
}

describeNet("a state folder that was copied", () => {
  test("makes two nodes over mDNS and a mesh, and the copy says so once", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3 });
    const [one, two, watcher] = lan.hosts;
    const [state, copy] = [join(folder.path, "disk"), join(folder.path, "clone")];
    const keyFile = join(folder.path, "mesh.key");
    await writeFile(keyFile, meshKey, { mode: 0o600 });
    const options = ["--transport", "mdns,mesh", "--key-file", keyFile];
    const before = await announce({ host: one, state }, options);
    // Drafts come and go while the owner runs.
    await cp(state, copy, { recursive: true, filter: (path) => !path.endsWith(".tmp") });
    before.kill("SIGTERM");
    await before.exited;

    const both = [
      { host: one, state },
      { host: two, state: copy },
    ] as const;
    const { first, later } = await expectBoth(both, watcher, options);
    const path = join(copy, "lmserv", "node-8000");
    expect(first.said[1]).toMatch(
      new RegExp(
        `warning: ${path}\\.key belongs to another machine.* kept in ${path}\\.[0-9a-f]{16}\\.key\\.`,
      ),
    );
    expect([first.said[0], ...later.said].join("")).not.toContain("belongs to another machine");
  });
});

const withEtcd = needsPeers(["etcd"]);

describeNet("a state folder that two machines share", () => {
  withEtcd("makes two nodes over etcd, which do not write over each other", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3 });
    const [one, two, watcher] = lan.hosts;
    const etcd = new EtcdHosts([watcher], folder.path);
    await etcd.start();
    const state = join(folder.path, "home");
    const options = ["--transport", "etcd", ...etcd.urls.flatMap((url) => ["--endpoint", url])];
    const both = [
      { host: one, state },
      { host: two, state },
    ] as const;
    await expectBoth(both, watcher, options);
    const keys = (await readdir(join(state, "lmserv"))).filter((file) => file.endsWith(".key"));
    expect(keys).toHaveLength(2);
  });
});
