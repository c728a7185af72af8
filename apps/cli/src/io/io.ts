import { readFile, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { PluginTable, ReadFile } from "@lmserv/discovery-config";
import { type Clock, type HealthMonitor, systemClock, systemRandom } from "@lmserv/discovery-core/transport";
import type { Fingerprint, HttpHealthOptions, ServerCheck } from "@lmserv/discovery-fingerprint";
import type { DiscoverDocument } from "@lmserv/discovery-gateway/document";
import {
  type ListedInterfaces,
  type Listener,
  listInterfaces,
  readListeners,
  readSocketsBelow,
  readSystem,
  type System,
} from "@lmserv/discovery-network";
import type { Identity } from "@lmserv/discovery-signing";
import type { ClaimPort } from "../announce/port-claim.ts";
import { elsewhere, ownPlugins } from "../config/plugins.ts";
import type { ReadText } from "../doctor/environment.ts";
import type { RunHook } from "../export/hook.ts";
import type { ListenGateway } from "../gateway/server.ts";
import type { ServiceHost } from "../service/service-host.ts";
import type { Child, CommandLine } from "./child.ts";
import type { Listen } from "./http.ts";
import type { SignalName } from "./interruption.ts";
import { isSharedFile } from "./open-file.ts";
import { watchReader } from "./reader.ts";

/** Stream with its size in cells if it is a terminal, which emits `resize`. */
export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Question to a port of this machine. */
export interface PortQuestion {
  readonly address: string;
  readonly port: number;
  /** True to ask it over HTTP; false to connect only. */
  readonly ask: boolean;
  readonly signal: AbortSignal;
}

/** Everything outside the command that it touches; tests replace it. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Base of relative paths, and first folder of the search for a configuration file. */
  readonly cwd: string;
  /** Reads the configuration and the files that it names. */
  readonly readFile: ReadFile;
  /** Transports that the command includes. */
  readonly plugins: PluginTable;
  /** Advice for each type that it does not include. */
  readonly elsewhere: ReadonlyMap<string, string>;
  /** Folders whose packages are searched for others. */
  readonly from: readonly string[];
  readonly networkInterfaces: () => ListedInterfaces;
  readonly readText: ReadText;
  /** State of a port of this machine; rejects only when the signal aborts. */
  readonly check: (question: PortQuestion) => Promise<ServerCheck>;
  /** Asks which LLM server answers at a port. */
  readonly fingerprint: (address: string, port: number, signal: AbortSignal) => Promise<Fingerprint>;
  /** Listening sockets of this machine, or null if the system does not tell. */
  readonly readListeners: () => Promise<readonly Listener[] | null>;
  /** Inodes of the sockets of a process and its descendants, or null if the system does not tell. */
  readonly readSocketsBelow: (pid: number) => Promise<ReadonlySet<string> | null>;
  readonly readSystem: () => System;
  /** Asks listed servers for their health. */
  readonly health: (options?: HttpHealthOptions) => Promise<HealthMonitor>;
  /** Identity for this machine's announcements, the same at the next start. */
  readonly openIdentity: (endpoint: string, warn: (message: string) => void) => Promise<Identity>;
  /** Creates a file that only this user can read; rejects with EEXIST if it exists. */
  readonly createSecret: (path: string, text: string) => Promise<void>;
  /** Replaces a file atomically; rejects with the system's error. */
  readonly replaceFile: (path: string, text: string) => Promise<void>;
  readonly runHook: RunHook;
  readonly serviceHost: () => Promise<ServiceHost>;
  /** Returns true if stdout is a file that others can read. */
  readonly isStdoutShared: () => boolean;
  readonly listen: Listen;
  readonly listenGateway: ListenGateway;
  readonly claimPort: ClaimPort;
  /**
   * Serves a list to other processes of this machine, all of them or this user's; null if that is impossible.
   */
  readonly serveList: (
    document: () => DiscoverDocument | null,
    isPublic: boolean,
  ) => Promise<AsyncDisposable | null>;
  /** Reads the list that another process of this machine serves, or null. */
  readonly readList: () => Promise<DiscoverDocument | null>;
  /** Starts a program on this one's input and output; rejects with a `StartError`. */
  readonly startChild: (command: CommandLine) => Promise<Child>;
  /**
   * Calls back at each of these signals, in place of the system's reaction; returns the function that ends
   * it.
   */
  readonly onSignal: (names: readonly SignalName[], listener: (name: SignalName) => void) => () => void;
  /**
   * Calls back when the last reader of stdout has gone, if the system tells; returns the function that ends
   * it.
   */
  readonly onReaderGone: (listener: () => void) => () => void;
  /** Calls back with each uncaught error, in place of a crash; returns the function that ends it. */
  readonly onFault: (listener: (error: unknown) => void) => () => void;
}

/** The process and the machine that it runs on. */
export function systemIo(): Io {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    clock: systemClock,
    random: systemRandom,
    cwd: process.cwd(),
    readFile: (path) => readFile(path, "utf8"),
    plugins: ownPlugins,
    elsewhere,
    from: [fileURLToPath(new URL(".", import.meta.url))],
    networkInterfaces: listInterfaces,
    readText: (path) => readFile(path, "utf8").catch(() => null),
    createSecret: (path, text) => writeFile(path, text, { mode: 0o600, flag: "wx" }),
    replaceFile: async (path, text) => {
      const { replaceFile } = await import("../export/export-file.ts");
      return replaceFile(path, text);
    },
    runHook: async (command, limitMs) => {
      const { runHook } = await import("../export/hook.ts");
      return runHook(command, limitMs, systemClock);
    },
    serviceHost: async () => {
      const { systemServiceHost } = await import("../service/service-host.ts");
      return systemServiceHost();
    },
    isStdoutShared: () => isSharedFile(process.stdout.fd),
    check: async ({ address: host, ...question }) => {
      const { checkServer } = await import("@lmserv/discovery-fingerprint");
      return checkServer({ clock: systemClock, host, ...question });
    },
    fingerprint: async (host, port, signal) => {
      const { fingerprint } = await import("@lmserv/discovery-fingerprint");
      return fingerprint({ host, port, signal, clock: systemClock, patient: true });
    },
    readListeners: () => readListeners(),
    readSocketsBelow: (pid) => readSocketsBelow(pid),
    readSystem: () => readSystem(),
    health: async (options) => {
      const { httpHealth } = await import("@lmserv/discovery-fingerprint");
      return httpHealth(options);
    },
    openIdentity: async (endpoint, onWarning) => {
      const { openIdentity } = await import("@lmserv/discovery-signing");
      return openIdentity({ endpoint, wall: () => systemClock.wall(), onWarning });
    },
    listen: async (handle, endpoint) => {
      const { listenHttp } = await import("./http.ts");
      return listenHttp(handle, endpoint);
    },
    listenGateway: async (gateway, address) => {
      const { listenGateway } = await import("../gateway/server.ts");
      return listenGateway(gateway, address);
    },
    claimPort: async (port) => {
      const { claimPort } = await import("../announce/port-claim.ts");
      return claimPort(port, systemClock);
    },
    serveList: async (document, isPublic) => {
      const { serveList, systemPlaces } = await import("../gateway/list-socket.ts");
      return serveList(document, isPublic, systemPlaces(process.env));
    },
    readList: async () => {
      const { readList, systemPlaces } = await import("../gateway/list-socket.ts");
      return readList(systemPlaces(process.env));
    },
    startChild: async (command) => {
      const { startChild } = await import("./child.ts");
      return startChild(command);
    },
    onSignal: (names, listener) => {
      const known = names.filter((name) => name in constants.signals);
      for (const name of known) process.on(name, listener);
      return () => {
        for (const name of known) process.off(name, listener);
      };
    },
    onReaderGone: (listener) => watchReader(process.stdout.fd, systemClock, listener),
    onFault: (listener) => {
      process.on("uncaughtException", listener);
      return () => process.off("uncaughtException", listener);
    },
  };
}
