import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command, Exit, Host } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("./member.mjs", import.meta.url));

/** One key for all, as a key file has it. */
const key = "bWVzaCB0ZXN0cyBvbmx5IC0gbm90IGEgcmVhbCBrZXk";
export const meshPort = 7_946;
/** However busy the machine is. */
const patienceMs = 120_000;

/** A host and the address that it has now. */
export interface Spot {
  readonly host: Host;
  readonly address: string;
}

export interface MemberOptions {
  /** Folder of its identity and its known peers; the files of all hosts are the machine's. */
  readonly state: string;
  /** Keys that all members share. @default one for all tests */
  readonly keys?: string;
  /** Mesh URLs. */
  readonly seeds: readonly string[];
  /** Wraps the command, so that it sees other files than the machine's. */
  readonly wrap?: (command: Command) => Command;
}

/** That a node came or went. */
export interface MemberEvent {
  readonly event: "up" | "down";
  readonly info: string;
  /** Of a node that went. */
  readonly reason?: string;
}

/** A running member of the mesh, called as its host is. */
export interface Member {
  readonly name: string;
  /** Sorted names of the listed members, itself included. */
  readonly listed: () => readonly string[];
  /** Output so far. */
  readonly lines: readonly string[];
  /** Those that went, in its eyes. */
  readonly departures: () => readonly MemberEvent[];
  /** Resolves once it lists exactly these. */
  readonly lists: (names: readonly string[]) => Promise<void>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<Exit>;
}

export function urlOf({ address }: Spot): string {
  return `ws://${address}:${meshPort}`;
}

export function spotOf(host: Host): Spot {
  return { host, address: host.address };
}

/** Starts a member; resolves when it has announced itself. */
export async function startMember({ host, address }: Spot, options: MemberOptions): Promise<Member> {
  const { state, seeds, keys = key, wrap = (command) => command } = options;
  const listen = [{ host: address, port: meshPort }];
  const mesh = { cluster: "net-tests", keys, seeds, listen, stateDirectory: join(state, host.name) };
  const task = JSON.stringify({ info: host.name, options: mesh });
  const process_ = await host.spawn(wrap([process.execPath, program, task]));
  await process_.line((line) => line.includes('"announced"'));
  const listed = (end: number = process_.lines.length): readonly string[] => {
    const names = new Set<string>();
    for (const line of process_.lines.slice(0, end)) {
      const { event, info } = JSON.parse(line);
      if (event === "up") names.add(info);
      if (event === "down") names.delete(info);
    }
    return [...names].sort();
  };
  return {
    name: host.name,
    listed,
    lines: process_.lines,
    departures: () => process_.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "down"),
    async lists(names) {
      const wanted = [...names].sort().join();
      if (listed().join() === wanted) return;
      const from = process_.lines.length;
      await process_.line((_, index) => listed(index + 1).join() === wanted, { from, timeoutMs: patienceMs });
    },
    kill: process_.kill,
    exited: process_.exited,
  };
}

/** Resolves once each of them lists exactly all of them. */
export async function whole(members: readonly Member[]): Promise<void> {
  const names = members.map(({ name }) => name);
  const outcomes = await Promise.allSettled(members.map(({ lists }) => lists(names)));
  if (outcomes.every(({ status }) => status === "fulfilled")) return;
  const stories = members.map(({ name, listed, departures }) => {
    const missed = departures().map(({ info, reason }) => `${info} ${reason}`);
    return `${name} lists ${listed().join(" ")}; missed: ${missed.join(", ")}`;
  });
  throw new Error(
    `The mesh of ${names.join(" ")} is not whole after ${patienceMs} ms:\n${stories.join("\n")}`,
  );
}
