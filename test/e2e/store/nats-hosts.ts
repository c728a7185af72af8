import { join } from "node:path";
import type { Host, HostProcess } from "@lmserv/test-netlab";

const ports = { client: 4_222, route: 6_222 };
const startMs = 120_000;

/** nats-server on hosts of a LAN, with JetStream and its data in a folder of each; several of them are one cluster. */
export class NatsHosts {
  readonly #hosts: readonly Host[];
  readonly #folder: string;
  readonly #running = new Map<Host, HostProcess>();

  constructor(hosts: readonly Host[], folder: string) {
    this.#hosts = hosts;
    this.#folder = folder;
  }

  get urls(): readonly string[] {
    return this.#hosts.map(({ address }) => `nats://${address}:${ports.client}`);
  }

  async start(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => this.#spawn(host)));
    if (this.#hosts.length > 1) await this.#whoSays(/JetStream cluster new metadata leader/);
  }

  /** As `kill -9`. */
  async kill(host: Host): Promise<void> {
    const running = this.#running.get(host);
    running?.kill("SIGKILL");
    await running?.exited;
  }

  /** Host that leads the bucket. */
  leader(): Promise<Host> {
    return this.#whoSays(/JetStream cluster new stream leader for .*KV_lmserv_default/);
  }

  #whoSays(pattern: RegExp): Promise<Host> {
    return Promise.any(
      [...this.#running].map(async ([host, running]) => {
        await running.stderrLine((line) => pattern.test(line), { timeoutMs: startMs });
        return host;
      }),
    );
  }

  async #spawn(host: Host): Promise<void> {
    const route = (of: Host): string => `nats://${of.address}:${ports.route}`;
    const cluster = [
      "--cluster_name",
      "tests",
      "--cluster",
      route(host),
      "--routes",
      this.#hosts.map(route).join(),
    ];
    const running = await host.spawn([
      "nats-server",
      ...["--name", host.name, "--addr", host.address, "--port", `${ports.client}`],
      ...["--jetstream", "--store_dir", join(this.#folder, host.name)],
      ...(this.#hosts.length > 1 ? cluster : []),
    ]);
    this.#running.set(host, running);
    await running.stderrLine((line) => line.includes("Server is ready"), { timeoutMs: startMs });
  }
}
