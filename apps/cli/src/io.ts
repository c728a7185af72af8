import { readFile } from "node:fs/promises";
import type { NetworkInterfaceInfo } from "node:os";
import { networkInterfaces } from "node:os";
import type { Writable } from "node:stream";
import { type Clock, systemClock, systemRandom } from "@lmserv/discovery-core";
import type { Listen } from "./document-server.ts";
import type { ReadText } from "./environment.ts";
import type { SignalName } from "./interruption.ts";
import type { Connect } from "./server-watch.ts";
import { knownTransports, type TransportTable } from "./transports.ts";

export type Output = Writable & { readonly isTTY?: boolean };

export type NetworkInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Everything the command touches outside itself; tests bring their own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly transports: TransportTable;
  readonly networkInterfaces: () => NetworkInterfaces;
  readonly readText: ReadText;
  readonly connect: Connect;
  readonly listen: Listen;
  /** Calls back at each signal, in place of the system's own reaction; the result undoes that. */
  readonly onSignal: (listener: (name: SignalName) => void) => () => void;
}

/** The process and the machine that it runs on. */
export function systemIo(): Io {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    clock: systemClock,
    random: systemRandom,
    transports: knownTransports,
    networkInterfaces,
    readText: (path) => readFile(path, "utf8").catch(() => null),
    connect: async (address, port, signal) => {
      const { connectTcp } = await import("./tcp.ts");
      await connectTcp(address, port, signal);
    },
    listen: async (handle, endpoint) => {
      const { listenHttp } = await import("./http.ts");
      return listenHttp(handle, endpoint);
    },
    onSignal: (listener) => {
      process.on("SIGINT", listener).on("SIGTERM", listener);
      return () => process.off("SIGINT", listener).off("SIGTERM", listener);
    },
  };
}
