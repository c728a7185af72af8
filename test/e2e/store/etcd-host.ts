import { join } from "node:path";
import type { Host, HostProcess } from "@lmserv/test-netlab";
import { runOrThrow } from "@lmserv/test-netlab";

const ports = { client: 2_379, peer: 2_380 };
const startMs = 120_000;

/** etcd on hosts of a LAN, its data in a folder of each. */
export class EtcdHosts {
  readonly #hosts: readonly Host[];
  readonly #folder: string;
  readonly #running = new Map<Host, HostProcess>();

  constructor(hosts: readonly Host[], folder: string) {
    this.#hosts = hosts;
    this.#folder = folder;
  }

  get urls(): readonly string[] {
    return this.#hosts.map(({ address }) => `http://${address}:${ports.client}`);
  }

  async start(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => this.#spawn(host)));
    await Promise.all(this.#hosts.map((host) => this.#isHealthy(host)));
  }

  /** As `kill -9`. */
  async kill(host: Host): Promise<void> {
    const running = this.#running.get(host);
    running?.kill("SIGKILL");
    await running?.exited;
  }

  async exited(host: Host): Promise<void> {
    await this.#running.get(host)?.exited;
  }

  async #spawn(host: Host): Promise<void> {
    const [client, peer] = [`http://${host.address}:${ports.client}`, `http://${host.address}:${ports.peer}`];
    const members = this.#hosts.map(({ name, address }) => `${name}=http://${address}:${ports.peer}`);
    const command = [
      "etcd",
      ...["--name", host.name, "--data-dir", join(this.#folder, host.name), "--log-level", "error"],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", members.join()],
      // A member that a busy machine keeps waiting is no dead one.
      ...["--heartbeat-interval", "200", "--election-timeout", "2000"],
    ] as const;
    this.#running.set(host, await host.spawn(["sh", "-c", 'exec "$@" 2>/dev/null', "sh", ...command]));
  }

  async #isHealthy(host: Host): Promise<void> {
    const probe = `
      const deadline = Date.now() + ${startMs};
      (async function ask() {
        const response = await fetch("http://${host.address}:${ports.client}/health").catch(() => null);
        if (response?.ok || Date.now() > deadline) process.exit(response?.ok ? 0 : 1);
        setTimeout(ask, 50);
      })();`;
    await runOrThrow(host, [process.execPath, "-e", probe], { timeoutMs: startMs + 10_000 });
  }
}
