import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { createLan, type Host, type HostProcess, type Lan } from "../../src/index.ts";
import { type Tapped as Heard, type RawPeer, rawPeer } from "../../src/raw-peer/raw-peer.ts";
import { lmserv } from "../discovery/command.ts";
import { faultsOf } from "./lawful.ts";

export const serviceType = "_lmserv._tcp.local";

/** How long a record rests after it was multicast, in ms (RFC 6762 section 6), and a little more. */
const restMs = 1_020;
/** How often a service is announced. */
const announcements = 4;

/** A LAN with the host under test and a raw peer. */
export interface Stage {
  readonly lan: Lan<3>;
  /** Runs what is tested. */
  readonly host: Host;
  readonly peer: RawPeer;
  /** For whatever else a case needs. */
  readonly third: Host;
}

/** The body of a test: sets the stage, plays, and holds every packet of the host under test to the rules. */
export function staged(play: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const stage = await openStage();
    try {
      await play(stage);
      expect(faultsOf(stage.peer, stage.host)).toEqual([]);
    } finally {
      await closeStage(stage);
    }
  };
}

export async function openStage(): Promise<Stage> {
  const lan = await createLan({ hosts: 3 });
  try {
    const [host, second, third] = lan.hosts;
    return { lan, host, third, peer: await rawPeer(second) };
  } catch (error) {
    await lan[Symbol.asyncDispose]();
    throw error;
  }
}

/** Ends everything on it; nothing may have been set up. */
export async function closeStage(stage: Stage | undefined): Promise<void> {
  await stage?.lan[Symbol.asyncDispose]();
}

/** What a service under test is called on the wire. */
export interface Service {
  readonly process: HostProcess;
  readonly instance: string;
  readonly hostName: string;
  readonly port: number;
}

/** Runs `lmserv announce` on the host and reads its first announcement. */
export async function announce({ host, peer }: Stage, ...args: readonly string[]): Promise<Service> {
  const command = lmserv("announce", "--port", "8000", "--no-check", ...args);
  const process = await host.spawn(command);
  return { process, ...(await announced(peer, host)) };
}

/** The service that a host announces first. */
export async function announced(peer: RawPeer, host: Host): Promise<Omit<Service, "process">> {
  const first = await peer.find(host.address, isAnnouncement);
  const srv = first.message.answers.find((record) => record.type === "SRV");
  if (srv?.target === undefined || srv.port === undefined) throw new TypeError("no SRV record");
  return { instance: srv.name, hostName: srv.target, port: srv.port };
}

/** Whether a packet announces a service: an unasked response with its SRV record. */
export function isAnnouncement({ message, dst }: Heard): boolean {
  const has = (type: string): boolean =>
    message.answers.some((record) => record.type === type && record.ttlS > 0);
  return message.response && isMulticast(dst) && has("PTR") && has("SRV");
}

export function isMulticast(address: string): boolean {
  return address === "224.0.0.251" || address === "ff02::fb";
}

/** Runs `lmserv announce` and waits until the announcements are over and forgotten. */
export async function quietService(stage: Stage, ...args: readonly string[]): Promise<Service> {
  const service = await announce(stage, ...args);
  await lastAnnouncement(stage);
  await rested(stage);
  return service;
}

/** Waits until as many services as there are have been announced for the last time. */
export async function lastAnnouncement({ peer, host }: Stage, services = 1): Promise<void> {
  let count = 0;
  await peer.find(host.address, (heard) => isAnnouncement(heard) && ++count >= announcements * services);
}

/** Waits until nothing that the host said keeps it from saying it again. */
export async function rested({ peer, host }: Stage): Promise<void> {
  const lastMs = Math.max(0, ...multicasts(peer, host).map(({ tMs }) => tMs));
  await until(lastMs + restMs);
}

/** What the host multicast over IPv4. */
export function multicasts(peer: RawPeer, host: Host, afterMs?: number): readonly Heard[] {
  return peer.heard(host.address, afterMs).filter(({ dst }) => isMulticast(dst));
}

/** Waits for a moment on the tap's clock. */
export async function until(atMs: number): Promise<void> {
  await delay(Math.max(0, atMs - nowMs()));
}

/** Now, on the tap's clock. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What `subject.mjs` understands. */
export interface Order {
  readonly do: "announce" | "update" | "withdraw" | "browse" | "reconfirm" | "close";
  /** The announcement that it is about. */
  readonly as?: string;
  readonly node?: object;
  readonly ttlMs?: number;
  readonly key?: string;
}

export interface Subject {
  readonly process: HostProcess;
  /** Carries out an order and resolves when that is done. */
  readonly order: (order: Order) => Promise<void>;
}

const program = fileURLToPath(new URL("./subject.mjs", import.meta.url));

/** Runs the transport itself on a host, for what the command cannot do. */
export async function subject(host: Host, options: object = {}): Promise<Subject> {
  const running = await host.spawn([process.execPath, program, JSON.stringify(options)]);
  await running.line((line) => line.includes('"ready"'));
  return {
    process: running,
    async order(order) {
      running.stdin.write(`${JSON.stringify(order)}\n`);
      const outcome = await running.line((line) => isOutcomeOf(order, JSON.parse(line)), {
        from: running.lines.length,
      });
      if (outcome.includes('"failed"')) throw new Error(outcome);
    },
  };
}

function isOutcomeOf(order: Order, said: { done?: string; failed?: string; as?: string }): boolean {
  return (said.done ?? said.failed) === order.do && said.as === order.as;
}
