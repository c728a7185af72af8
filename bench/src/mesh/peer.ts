import { fileURLToPath } from "node:url";
import type { Command } from "@lmserv/test-netlab";

export type PeerName = "lmserv" | "serf";
export const peerNames: readonly PeerName[] = ["lmserv", "serf"];

/** Whom to start where. */
export interface Plan {
  readonly name: string;
  readonly address: string;
  /** Address of the first member, or null for itself. */
  readonly seed: string | null;
  /** A folder for what it keeps. */
  readonly state: string;
  /** How many members the process is; of more than one, each is called as the process and its number. */
  readonly members: number;
}

/** What a line of a program's output says: that it begins, or that it sees a member come or go. */
export interface Sighting {
  readonly kind: "started" | "up" | "down";
  /** The member; of the program itself "". */
  readonly name: string;
}

/** A program that makes a mesh with its like. */
export interface Peer {
  readonly command: (plan: Plan) => Command;
  readonly read: (line: string) => Sighting | null;
  /** Whether one process can be many members. */
  readonly crowds: boolean;
  /** What makes it say goodbye. */
  readonly leaveSignal: NodeJS.Signals;
}

/** 32 bytes that everybody may know: they protect a mesh in namespaces. */
const key = Buffer.from("a key that only benchmarks use !");

const serfLines: readonly (readonly [RegExp, Sighting["kind"]])[] = [
  [/Starting Serf agent/, "started"],
  [/EventMemberJoin: (\S+)/, "up"],
  [/EventMember(?:Failed|Leave): (\S+)/, "down"],
];

export const peers: Readonly<Record<PeerName, Peer>> = {
  lmserv: {
    command: (plan) => [
      process.execPath,
      fileURLToPath(import.meta.resolve("@lmserv/bench/mesh/peers/lmserv")),
      JSON.stringify({ ...plan, key: key.toString("base64url") }),
    ],
    read: (line) => (line.startsWith('{"kind"') ? JSON.parse(line) : null),
    crowds: true,
    leaveSignal: "SIGTERM",
  },
  serf: {
    command: ({ name, address, seed }) => [
      "serf",
      "agent",
      `-node=${name}`,
      `-bind=${address}`,
      `-encrypt=${key.toString("base64")}`,
      "-profile=lan",
      ...(seed === null ? [] : [`-join=${seed}`]),
    ],
    read(line) {
      for (const [pattern, kind] of serfLines) {
        const match = pattern.exec(line);
        if (match) return { kind, name: match[1] ?? "" };
      }
      return null;
    },
    crowds: false,
    leaveSignal: "SIGINT",
  },
};
