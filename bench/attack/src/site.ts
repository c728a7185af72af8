import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, createLan, type Host, type HostProcess, type Lan } from "@lmserv/test-net";
import { WatchedNodes } from "./watched-nodes.ts";

const program = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));
const flooding = fileURLToPath(new URL("../src/flood.py", import.meta.url));
const meshPort = 7_946;
const etcdPort = 2_379;

/** Transports over which servers are announced, with the trust that a node has there. */
export const announcing = ["mdns", "mesh", "etcd"] as const;
export type Announcing = (typeof announcing)[number];

/** A LAN with a node on each transport, one host that looks, one for newcomers, and one that attacks. */
export class Site implements AsyncDisposable {
  readonly #lan: Lan<6>;
  readonly #folder: string;
  readonly #options: Readonly<Record<Announcing, (host: Host) => readonly string[]>>;
  #states = 0;

  private constructor(lan: Lan<6>, folder: string, key: string) {
    this.#lan = lan;
    this.#folder = folder;
    const [seed, store] = lan.hosts;
    const mesh = ["--transport", "mesh", "--key-file", key];
    this.#options = {
      mdns: () => ["--transport", "mdns"],
      mesh: (host) => [
        ...mesh,
        ...["--listen", `${host.address}:${meshPort}`],
        ...(host === seed ? [] : ["--seed", `ws://${seed.address}:${meshPort}`]),
      ],
      etcd: () => ["--transport", "etcd", "--endpoint", `http://${store.address}:${etcdPort}`],
    };
  }

  static async open(): Promise<Site> {
    const lan = await createLan({ hosts: 6, neighbors: "learned" });
    const folder = mkdtempSync(join(tmpdir(), "lmserv-attack-"));
    const key = join(folder, "mesh.key");
    const site = new Site(lan, folder, key);
    await site.#widen();
    await lan.hosts[0].run([process.execPath, program, "mesh", "keygen", key]);
    await site.#startEtcd();
    return site;
  }

  /** Announces from the host of newcomers, or from that of the transport; resolves when it has been said. */
  async announce(
    transport: Announcing,
    port: number,
    info: string,
    isNewcomer: boolean,
  ): Promise<HostProcess> {
    const [first, second, third, newcomers] = this.#lan.hosts;
    const home = { mesh: first, etcd: second, mdns: third }[transport];
    const host = isNewcomer ? newcomers : home;
    const what = ["--port", `${port}`, "--info", info, "--no-check"];
    const announcer = await host.spawn(this.#lmserv("announce", ...what, ...this.#options[transport](host)), {
      env: this.#state(),
    });
    await announcer.stderrLine((line) => line.includes("announced "));
    return announcer;
  }

  async watch(isMeant: (info: string) => boolean): Promise<WatchedNodes> {
    const looker = this.#lan.hosts[4];
    const [seed, store] = this.#lan.hosts;
    const watcher = await looker.spawn(
      this.#lmserv(
        ...["discover", "--watch", "--json", "--no-check", "--transport", announcing.join()],
        ...["--key-file", join(this.#folder, "mesh.key"), "--seed", `ws://${seed.address}:${meshPort}`],
        ...["--endpoint", `http://${store.address}:${etcdPort}`],
      ),
      { env: this.#state() },
    );
    return new WatchedNodes(watcher, isMeant);
  }

  /** Resolves when the last frame has left. */
  async flood(frames: number, perSecond: number, sources: number, ids: readonly string[]): Promise<void> {
    const shape = [frames, perSecond, sources].map(String);
    const attacker = this.#lan.hosts[5];
    await attacker.run(["/usr/bin/python3", flooding, "eth0", ...shape, ...ids], { timeoutMs: 3_700_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lan[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }

  /** Makes room on the link for thousands of sources. */
  async #widen(): Promise<void> {
    for (const host of this.#lan.hosts) {
      await host.run(["ip", "addr", "del", `${host.address}/24`, "dev", "eth0"]);
      await host.run(["ip", "addr", "add", `${host.address}/16`, "brd", "+", "dev", "eth0"]);
    }
  }

  async #startEtcd(): Promise<void> {
    const store = this.#lan.hosts[1];
    const url = `http://${store.address}:${etcdPort}`;
    const server = await store.spawn([
      ...(["etcd", "--data-dir", join(this.#folder, "etcd")] as const),
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", "http://127.0.0.1:2380"],
    ]);
    await server.stderrLine((line) => line.includes("client requests on"));
  }

  /** A folder for the keys of one process: hosts of a LAN share the machine's files. */
  #state(): Readonly<Record<string, string>> {
    this.#states += 1;
    return { XDG_STATE_HOME: join(this.#folder, `state-${this.#states}`) };
  }

  #lmserv(...args: readonly string[]): Command {
    return [process.execPath, program, ...args];
  }
}
