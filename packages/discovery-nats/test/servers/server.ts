import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../../discovery-store/test/free-port.ts";
import { serverProgram } from "./describe.ts";

export interface ServerOptions {
  /** Further lines of its configuration. @default none */
  readonly config?: string;
  /** Folder of JetStream's data; null for a server without JetStream. @default a folder of its own */
  readonly data?: string | null;
  /** @default a free one */
  readonly port?: number;
  /** Size of a disk of its own in KiB, in a mount namespace. @default the machine's disk */
  readonly diskKiB?: number;
}

/** Mounts a small disk for the data, then executes the server. */
const onDisk = 'mkdir -p "$1" && mount -t tmpfs -o "size=$2k" tmpfs "$1" && shift 2 && exec "$@"';

/** Real nats-server on a port of loopback, with data in a temporary folder. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly data: string;
  readonly #folder: string;
  readonly #options: ServerOptions;
  #process: ChildProcess | null = null;

  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), "lmserv-nats-"));
    const server = new NatsServer(folder, options.port ?? (await freePort()), options);
    await server.start();
    return server;
  }

  private constructor(folder: string, port: number, options: ServerOptions) {
    this.#folder = folder;
    this.#options = options;
    this.port = port;
    this.data = options.data ?? join(folder, "data");
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /**
   * Starts it on the same port with the same data, and other lines of configuration if given; resolves when
   * it is ready.
   */
  async start(config: string = this.#options.config ?? ""): Promise<void> {
    const file = join(this.#folder, "server.conf");
    const jetstream =
      this.#options.data === null ? "" : `jetstream { store_dir: ${JSON.stringify(this.data)} }\n`;
    await writeFile(file, `listen: "127.0.0.1:${this.port}"\n${jetstream}${config}\n`);
    const [program = "", ...args] = this.#command([serverProgram ?? "nats-server", "--config", file]);
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      lines.push(line);
      if (line.includes("Server is ready")) break;
    }
    child.stderr.resume();
    if (child.exitCode !== null || !lines.at(-1)?.includes("ready")) {
      throw new Error(`nats-server did not start:\n${lines.join("\n")}`);
    }
  }

  #command(command: readonly string[]): readonly string[] {
    const { diskKiB } = this.#options;
    if (diskKiB === undefined) return command;
    return [
      "unshare",
      "--map-root-user",
      "--mount",
      "sh",
      "-c",
      onDisk,
      "sh",
      this.data,
      `${diskKiB}`,
      ...command,
    ];
  }

  /** Fills the rest of its own disk. */
  async fillDisk(): Promise<void> {
    const file = await open(this.#ballast, "w");
    try {
      for (;;) await file.write(Buffer.alloc(4_096));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    } finally {
      await file.close();
    }
  }

  async freeDisk(): Promise<void> {
    await rm(this.#ballast);
  }

  /** Path through the server's own mount namespace. */
  get #ballast(): string {
    return `/proc/${this.pid}/root${this.data}/ballast`;
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async wipe(): Promise<void> {
    await rm(this.data, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
