import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, createLan, type Host, type HostProcess, type Lan } from "@lmserv/test-netlab";
import { WatchedNodes } from "./watched-nodes.ts";

const program = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));
const python = (name: string): string =>
  fileURLToPath(new URL(`../../src/attack/${name}.py`, import.meta.url));
const script = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const meshPort = 7_946;
const etcdPort = 2_379;
const natsPort = 4_222;
const documentPort = 8_741;
/** Ports that are asked of every neighbor. */
const askedPorts = [documentPort, 8_000, 8_080, 11_434];
/** As many as a document can name (`maxServers`). */
const maxListed = 32;
/** Of the announced nodes, which are not there. */
const firstPort = 9_000;
/** Longer than any flood. */
const patience = { timeoutMs: 3_700_000 };

/** Transports over which nodes become known; on that of neighbors, by what their servers say. */
export const transports = ["mdns", "mesh", "etcd", "nats", "arp"] as const;
export type Transport = (typeof transports)[number];

/** Count and pace of frames or values, and count of their addresses or members. */
export interface Flood {
  readonly count: number;
  readonly perSecond: number;
  readonly sources: number;
}

/** A LAN with a node on each transport, one host that looks, one for newcomers, and one that attacks. */
export class Site implements AsyncDisposable {
  readonly #lan: Lan<6>;
  readonly #folder: string;
  readonly #options: Readonly<Record<Exclude<Transport, "arp">, (host: Host) => readonly string[]>>;
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
      nats: () => ["--transport", "nats", "--endpoint", `nats://${store.address}:${natsPort}`],
    };
  }

  static async open(): Promise<Site> {
    const lan = await createLan({ hosts: 6, neighbors: "learned" });
    const folder = mkdtempSync(join(tmpdir(), "lmserv-attack-"));
    const key = join(folder, "mesh.key");
    const site = new Site(lan, folder, key);
    await site.#widen();
    await lan.hosts[0].run([process.execPath, program, "mesh", "keygen", key]);
    await Promise.all([site.#startEtcd(), site.#startNats()]);
    return site;
  }

  /** Brings a node up on the host of newcomers, or on that of the transport; resolves when it has been said. */
  async appear(transport: Transport, number: number, info: string): Promise<HostProcess> {
    const [first, second, third, newcomers] = this.#lan.hosts;
    const home = { mesh: first, etcd: second, nats: second, mdns: third, arp: third }[transport];
    const host = number > 0 ? newcomers : home;
    if (transport === "arp") return this.#serve(host, number, info);
    const port = firstPort + 10 * number + transports.indexOf(transport);
    const what = ["--port", `${port}`, "--info", info, "--no-check"];
    const announcer = await host.spawn(this.#lmserv("announce", ...what, ...this.#options[transport](host)), {
      env: this.#state(),
    });
    await announcer.stderrLine((line) => line.includes("announced "));
    return announcer;
  }

  async watch(isMeant: (info: string) => boolean): Promise<WatchedNodes> {
    const [seed, store, , , looker] = this.#lan.hosts;
    const file = join(this.#folder, "lmserv.config.jsonc");
    const configuration = {
      version: 1,
      transports: {
        mdns: {},
        mesh: { keyFile: join(this.#folder, "mesh.key"), seeds: [`ws://${seed.address}:${meshPort}`] },
        etcd: { endpoints: [`http://${store.address}:${etcdPort}`] },
        nats: { endpoints: [`nats://${store.address}:${natsPort}`] },
        arp: { ports: askedPorts },
      },
    };
    writeFileSync(file, JSON.stringify(configuration));
    const watcher = await looker.spawn(
      this.#lmserv("discover", "--watch", "--json", "--no-check", "--config", file),
      { env: this.#state() },
    );
    return new WatchedNodes(watcher, isMeant);
  }

  /** Announcements by multicast DNS, in the name of these nodes if there are any. */
  async floodMdns({ count, perSecond, sources }: Flood, ids: readonly string[]): Promise<void> {
    const shape = [count, perSecond, sources].map(String);
    await this.#attack(["/usr/bin/python3", python("flood-mdns"), "eth0", ...shape, ...ids]);
  }

  /** Neighbors of the host that looks, who are not there. */
  async floodNeighbors({ count, perSecond, sources }: Flood): Promise<void> {
    const shape = [count, perSecond, sources].map(String);
    const looker = this.#lan.hosts[4];
    await this.#attack(["/usr/bin/python3", python("flood-arp"), "eth0", looker.address, ...shape]);
  }

  /** Values in the bucket of NATS; with `isOver`, in the place of those that are there. */
  async floodNats({ count, perSecond, sources }: Flood, isOver: boolean): Promise<void> {
    const store = this.#lan.hosts[1];
    const shape = [count, perSecond, sources].map(String);
    const over = isOver ? ["over"] : [];
    const url = `nats://${store.address}:${natsPort}`;
    await this.#attack([process.execPath, script("flood-nats"), url, ...shape, ...over]);
  }

  /** One host has so many addresses, and at each of them as many servers as its documents can name. */
  async serveMany(addresses: number): Promise<void> {
    const attacker = this.#lan.hosts[5];
    for (let number = 0; number < addresses; number += 1) {
      await this.#serveAt(attacker, `10.77.2.${number + 1}`, askedPorts, "flood", maxListed);
    }
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

  /** A machine that is new on the LAN: it has an address of its own. */
  #serve(host: Host, number: number, info: string): Promise<HostProcess> {
    return this.#serveAt(host, `10.77.${number > 0 ? 250 : 251}.${number + 1}`, [documentPort], info, 1);
  }

  async #serveAt(
    host: Host,
    address: string,
    ports: readonly number[],
    info: string,
    servers: number,
  ): Promise<HostProcess> {
    const looker = this.#lan.hosts[4];
    await host.run(["ip", "addr", "add", `${address}/16`, "dev", "eth0"]);
    const server = await host.spawn([
      ...([process.execPath, script("server"), address, looker.address, ports.join(), info] as const),
      `${servers}`,
    ]);
    await server.line((line) => line === "listening");
    return server;
  }

  async #attack(command: Command): Promise<void> {
    const { code, stderr } = await this.#lan.hosts[5].run(command, patience);
    if (code !== 0) throw new Error(`the attacker failed: ${stderr}`);
  }

  async #startNats(): Promise<void> {
    const store = this.#lan.hosts[1];
    const server = await store.spawn([
      ...(["nats-server", "--addr", store.address, "--port", `${natsPort}`] as const),
      ...["--jetstream", "--store_dir", join(this.#folder, "nats")],
    ]);
    await server.stderrLine((line) => line.includes("Server is ready"));
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
