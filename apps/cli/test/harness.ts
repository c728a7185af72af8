import { readFile } from "node:fs/promises";
import type { NetworkInterfaceInfo } from "node:os";
import { Writable } from "node:stream";
import type { HealthState } from "@lmserv/discovery-core";
import {
  formatEndpoint,
  type HealthMonitor,
  isoTime,
  type OptionShape,
  optionsSchema,
  type PluginContext,
  type Transport,
  type TransportPlugin,
} from "@lmserv/discovery-core/transport";
import type { Fingerprint, Identification, ServerCheck } from "@lmserv/discovery-fingerprint";
import type { RequestHandler } from "@lmserv/discovery-gateway";
import { type ListedInterfaces, type Listener, systemOf } from "@lmserv/discovery-network";
import { ephemeralIdentity, type Identity } from "@lmserv/discovery-signing";
import { MemoryNetwork, memory, seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { expect } from "vitest";
import type { PortClaim } from "../src/announce/port-claim.ts";
import { replaceFile } from "../src/export/export-file.ts";
import { runHook } from "../src/export/hook.ts";
import { type ListPlaces, readList, serveList } from "../src/gateway/list-socket.ts";
import type { ListenAddress } from "../src/gateway/listen-address.ts";
import { type GatewayServer, listenGateway } from "../src/gateway/server.ts";
import { startChild } from "../src/io/child.ts";
import type { Handle } from "../src/io/http.ts";
import type { SignalName } from "../src/io/interruption.ts";
import type { Io, PortQuestion } from "../src/io/io.ts";
import { run } from "../src/run.ts";
import { removeServiceFile, type ServiceHost, writeServiceFile } from "../src/service/service-host.ts";

type Shapes = Readonly<Record<string, OptionShape>>;

const list = { description: "several", type: "array" } as const;
const sharedShapes: Shapes = { interfaces: { ...list, items: { type: "string" } } };
const sweepShapes: Shapes = {
  ...sharedShapes,
  sweep: {
    description: "whether to sweep",
    type: "boolean",
    flag: { name: "--sweep", help: "ask every address of the subnet" },
  },
  ports: {
    ...list,
    items: { type: "integer", minimum: 1, maximum: 65_535 },
    maxItems: 64,
    flag: { name: "--ports", value: "ports", help: "ports to ask on every host" },
  },
};

/** Arguments of a transport's creation. */
export interface Made {
  readonly options: unknown;
  readonly context: PluginContext;
}

/** Machine under the test's control: its time, its network, its terminal. */
export class Machine {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork();
  /** Arguments of each transport's creation. */
  readonly made: Made[] = [];
  /** Addresses on which the servers accept connections; the rest refuse. */
  readonly accepting: Set<string> = new Set();
  /** Servers by port, each with the result of a look. */
  readonly servers: Map<number, Fingerprint> = new Map([[8_000, served("lmserv")]]);
  readonly identity: Identity = ephemeralIdentity(1_767_225_600_000);
  /** Addresses and ports that were connected to, in order. */
  readonly connected: string[] = [];
  /** Endpoints that serve HTTP now. */
  readonly listening: Map<string, Handle> = new Map();
  /** Port of the system behind each endpoint of a gateway. */
  readonly gateways: Map<string, number> = new Map();
  /** Reason for which an endpoint cannot be had. */
  readonly taken: Map<string, string> = new Map();
  /** Claimed ports, with the process that holds each. */
  readonly claims: Map<number, number> = new Map();
  readonly plugins: Map<string, TransportPlugin>;
  /** Advice for each type that a variant of the command leaves out. */
  readonly elsewhere: Map<string, string> = new Map();
  /** Contents of configuration files, and of the system's files, by path. */
  readonly files: Map<string, string> = new Map();
  readonly env: Record<string, string> = {};
  interfaces: ListedInterfaces = {
    lo: [info("127.0.0.1", true), info("::1", true)],
    eth0: [info("198.51.100.7", false), info("fe80::7", false, 2)],
  };
  /** State of every node at a check, or null if checks bring nothing. */
  health: HealthState | null = "healthy";
  /** System for installing a service; it has no manager. */
  serviceHost: ServiceHost = {
    platform: "linux",
    uid: 1_000,
    userName: "me",
    home: "/home/me",
    node: "/usr/bin/node",
    script: "/usr/lib/node_modules/@lmserv/cli/bin/lmserv.mjs",
    run: async ([program]) => ({ code: 127, output: `there is no ${program}` }),
    write: writeServiceFile,
    remove: removeServiceFile,
  };
  /** Folders of the lists of this machine's processes; null for none. */
  places: ListPlaces | null = null;
  /** Listening sockets that the system shows, or null if it does not. */
  listeners: readonly Listener[] | null = null;
  /** Inodes of the sockets of processes, as far as the system tells. */
  readonly sockets: Map<number, ReadonlySet<string>> = new Map();
  isTerminal = false;
  /** True if stdout is a file that others can read. */
  isStdoutShared = false;
  stdout: Capture = new Capture();
  stderr: Capture = new Capture();

  constructor() {
    this.plugins = new Map([["mdns", this.factory(memory({ network: this.network, name: "mdns" }))]]);
  }

  /** Plug-in that makes this transport; one that cannot announce takes the options of a sweep. */
  factory(transport: Transport, declared: Partial<TransportPlugin> = {}): TransportPlugin {
    const { announces = true } = declared;
    const options = optionsSchema<Readonly<Record<string, unknown>>>(announces ? sharedShapes : sweepShapes);
    return {
      type: transport.name,
      announces,
      options,
      ...(!announces && { thorough: { option: "sweep", does: "ask every address of the subnet" } }),
      create: (options, context) => {
        this.made.push({ options, context });
        return transport;
      },
      ...declared,
    };
  }

  /** Starts the command; time moves only by the test. */
  start(...argv: string[]): Running {
    const listeners = new Set<(name: SignalName) => void>();
    const readers = new Set<() => void>();
    const faults = new Set<(error: unknown) => void>();
    const { clock, env, plugins, files, isTerminal } = this;
    const io: Io = {
      stdout: Object.assign(this.stdout, { isTTY: isTerminal }),
      stderr: Object.assign(this.stderr, { isTTY: isTerminal }),
      env,
      clock,
      random: seededRandom(1),
      cwd: "/home/me",
      plugins,
      elsewhere: this.elsewhere,
      from: [],
      readFile: async (path) =>
        files.get(path) ?? (path.endsWith(".jsonc") ? missing(path) : readFile(path, "utf8")),
      networkInterfaces: () => this.interfaces,
      createSecret: async (path, text) => {
        if (this.files.has(path)) throw Object.assign(new Error("EEXIST"), { code: "EEXIST" });
        this.files.set(path, text);
      },
      replaceFile,
      runHook: (command, limitMs) => runHook(command, limitMs, clock),
      serviceHost: async () => this.serviceHost,
      isStdoutShared: () => this.isStdoutShared,
      readText: async (path) => this.files.get(path) ?? null,
      check: (question) => this.#check(question),
      fingerprint: (address, port) => this.#look(address, port),
      // Some ports are shown by connections only.
      readListeners: async () => this.listeners,
      readSocketsBelow: async (pid) => this.sockets.get(pid) ?? null,
      readSystem: () => systemOf(this.interfaces),
      openIdentity: async () => this.identity,
      health: async () => this.#monitor,
      listen: (handle, { address, port }) => this.#listen(handle, address, port),
      listenGateway: (handler, address) => this.#listenGateway(handler, address),
      claimPort: async (port) => this.#claim(port),
      serveList: async (document, isPublic) => this.places && serveList(document, isPublic, this.places),
      readList: async () => this.places && readList(this.places),
      startChild,
      onSignal: (_names, listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      onReaderGone: (listener) => {
        readers.add(listener);
        return () => readers.delete(listener);
      },
      onFault: (listener) => {
        faults.add(listener);
        return () => faults.delete(listener);
      },
    };
    const running: Running = {
      ended: run(argv, io),
      signal: (name) => {
        for (const listener of [...listeners]) listener(name);
        return listeners.size > 0;
      },
      leave: () => {
        for (const listener of [...readers]) listener();
        return readers.size > 0;
      },
      fault: (error) => {
        for (const listener of [...faults]) listener(error);
      },
    };
    // The test that awaits the end handles its failure.
    running.ended.catch(() => {});
    return running;
  }

  /** Runs a command that ends by itself after `ms`. */
  async run(ms: number, ...argv: string[]): Promise<number> {
    const { ended } = this.start(...argv);
    const state = { isEnded: false };
    ended.finally(() => {
      state.isEnded = true;
    });
    await this.until(() => state.isEnded || this.network.sent > 0);
    await this.clock.advance(ms);
    return ended;
  }

  /** Waits for work in real time (the loading of a module) without moving the virtual one. */
  async until(condition: () => boolean): Promise<void> {
    await expect
      .poll(async () => {
        await this.clock.advance(0);
        return condition() || `not yet; stderr: ${this.stderr.text}`;
      })
      .toBe(true);
  }

  async #listen(handle: Handle, address: string | null, port: number): Promise<AsyncDisposable> {
    const endpoint = `${address ?? "*"} ${port}`;
    const code = this.taken.get(endpoint);
    if (code !== undefined) throw Object.assign(new Error(`listen ${code}`), { code });
    this.listening.set(endpoint, handle);
    return {
      [Symbol.asyncDispose]: async () => {
        this.listening.delete(endpoint);
      },
    };
  }

  /** Listens at a free port of the system, whatever the requested one. */
  async #listenGateway(handler: RequestHandler, { address, port }: ListenAddress): Promise<GatewayServer> {
    const endpoint = `${address} ${port}`;
    const code = this.taken.get(endpoint);
    if (code !== undefined) throw Object.assign(new Error(`listen ${code}`), { code });
    const server = await listenGateway(handler, { address: "127.0.0.1", port: 0 });
    this.gateways.set(endpoint, server.port);
    return server;
  }

  #claim(port: number): PortClaim {
    const pid = this.claims.get(port);
    if (pid !== undefined) return { kind: "taken", pid };
    this.claims.set(port, process.pid);
    return { kind: "held", [Symbol.asyncDispose]: async () => void this.claims.delete(port) };
  }

  /** Checks each node at once, and again whenever it changes. */
  readonly #monitor: HealthMonitor = {
    start: ({ follow, report, clock }) => {
      const checked = new Set<string>();
      return follow(({ kind, node }) => {
        if (kind === "down" || this.health === null || checked.has(node.id)) return;
        checked.add(node.id);
        const { host, port, models } = node;
        const listed = models.map((name) => ({ name }));
        const checkedAt = isoTime(clock, clock.now());
        const health = {
          state: this.health,
          models: listed,
          loaded: [],
          latencyMs: 1,
          checkedAt,
          reason: null,
        };
        const endpoint = formatEndpoint(host, port);
        report(node.id, { endpoint, health, description: null, missingPath: null });
      });
    },
  };

  async #check({ address, port }: PortQuestion): Promise<ServerCheck> {
    this.connected.push(`${address} ${port}`);
    const isOpen = this.accepting.has(address) && this.servers.has(port);
    return isOpen ? "no-answer" : "refused";
  }

  async #look(address: string, port: number): Promise<Fingerprint> {
    const result = this.accepting.has(address) ? this.servers.get(port) : undefined;
    return result ?? { kind: "silent", why: "refused" };
  }
}

/** Result of a look at an LLM server of a kind. */
export function served(server: string, parts: Partial<Identification> = {}): Fingerprint {
  const identification = {
    port: 8_000,
    scheme: "http" as const,
    id: null,
    info: "",
    server,
    version: null,
    path: "/chat",
    apis: [],
    models: [],
    modelsCut: false,
    auth: null,
    document: false,
    ...parts,
  };
  return { kind: "server", identification, others: [] };
}

function missing(path: string): never {
  throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" });
}

export interface Running {
  readonly ended: Promise<number>;
  /** Sends a signal; returns false if the command leaves it to the system. */
  readonly signal: (name: SignalName) => boolean;
  /** Stops reading the command's output; returns false if the command does not watch that. */
  readonly leave: () => boolean;
  /** Throws an uncaught error. */
  readonly fault: (error: unknown) => void;
}

/** Stream that keeps its input, or fails with an error. */
export class Capture extends Writable {
  text = "";
  failure: Error | null = null;
  /** Size of the terminal. */
  columns = 80;
  rows = 24;

  override _write(chunk: Buffer, _encoding: string, done: (error: Error | null) => void): void {
    if (!this.failure) this.text += chunk.toString();
    done(this.failure);
  }

  get lines(): readonly string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

export function info(address: string, internal: boolean, scopeid: number = 0): NetworkInterfaceInfo {
  const shared = { address, internal, mac: "02:00:00:00:00:01", cidr: null };
  if (address.includes(":")) return { ...shared, family: "IPv6", netmask: "ffff:ffff:ffff:ffff::", scopeid };
  return { ...shared, family: "IPv4", netmask: "255.255.255.0" };
}
