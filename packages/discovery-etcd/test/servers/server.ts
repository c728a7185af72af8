import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { patience } from "../../../discovery-store/test/client.ts";
import { freePort } from "../../../discovery-store/test/free-port.ts";

export interface ServerOptions {
  readonly flags?: readonly string[];
  readonly scheme?: "http" | "https";
  /** Port for other servers of its cluster. @default a free one */
  readonly peerPort?: number;
  /** PEM of the authority, unless Node knows it. */
  readonly probe?: (url: string) => Promise<void>;
}

/** Real etcd on free ports of the loopback interface, with its data in a folder of its own. */
export class EtcdServer implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #peerUrl: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | null = null;

  private constructor(folder: string, ports: readonly number[], options: ServerOptions) {
    const [client = 0, peer = 0] = ports;
    this.#folder = folder;
    this.#options = options;
    this.url = `${options.scheme ?? "http"}://127.0.0.1:${client}`;
    this.#peerUrl = `http://127.0.0.1:${peer}`;
  }

  static async start(options: ServerOptions = {}): Promise<EtcdServer> {
    const folder = await mkdtemp(join(tmpdir(), "lmserv-etcd-"));
    const server = new EtcdServer(
      folder,
      [await freePort(), options.peerPort ?? (await freePort())],
      options,
    );
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const child = spawn(
      "etcd",
      [
        ...["--data-dir", join(this.#folder, "data"), "--log-level", "error"],
        ...["--listen-client-urls", this.url, "--advertise-client-urls", this.url],
        ...["--listen-peer-urls", this.#peerUrl, "--initial-advertise-peer-urls", this.#peerUrl],
        ...["--initial-cluster", `default=${this.#peerUrl}`],
        ...["--heartbeat-interval", "20", "--election-timeout", "200"],
        // Passwords of tests need not be expensive to guess.
        ...["--bcrypt-cost", "4"],
        ...(this.#options.flags ?? []),
      ],
      { stdio: "ignore" },
    );
    this.#child = child;
    await this.#answers();
  }

  /** Kills it as `kill -9`: nothing is written, and no client is told. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || hasEnded(child)) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  stop(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async forget(): Promise<void> {
    await rm(join(this.#folder, "data"), { recursive: true, force: true });
  }

  /** Answer of the gateway. */
  async ask(path: string, body: object, token?: string): Promise<Record<string, unknown>> {
    const response = await fetch(new URL(path, this.url), {
      method: "POST",
      body: JSON.stringify(body),
      headers: token === undefined ? {} : { authorization: token },
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    const child = this.#child;
    const probe = this.#options.probe ?? health;
    await vi.waitFor(async () => {
      // The process has ended.
      if (!child || hasEnded(child)) return;
      await probe(this.url);
    }, patience);
    if (!child || hasEnded(child)) throw new Error(`etcd does not come up at ${this.url}`);
  }
}

/** A signal leaves no exit code. */
function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function health(url: string): Promise<void> {
  const response = await fetch(new URL("/health", url));
  if (!response.ok) throw new Error(`health is ${response.status}`);
}
