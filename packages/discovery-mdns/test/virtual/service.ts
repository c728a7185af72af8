import {
  type Announcement,
  createDiscovery,
  type Discovery,
  type NodeRegistration,
} from "@lmserv/discovery-core";
import type { Heard } from "@lmserv/test-netlab/raw-peer";
import { type MdnsOptions, mdnsOn } from "../../src/transport.ts";
import type { VirtualHost } from "./host.ts";
import type { VirtualPeer } from "./peer.ts";
import type { Stage } from "./stage.ts";

/** Rest of a record after its multicast in ms (RFC 6762 section 6), with our 10 ms. */
const restMs = 1_010;
/** Count of a service's announcements. */
const announcements = 4;

export async function discoveryOn(
  { clock, random, playback, running }: Stage,
  host: VirtualHost,
  options: MdnsOptions = {},
): Promise<Discovery> {
  const opening = createDiscovery({ transports: [mdnsOn(host.machine, options)], clock, random });
  const discovery = await playback.settled(opening, "opening");
  running.push(discovery);
  return discovery;
}

/** Names of a service under test on the wire. */
export interface Service {
  readonly instance: string;
  readonly hostName: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** Announcement from its first moment on. */
export interface Announcing {
  readonly discovery: Discovery;
  readonly registration: Promise<NodeRegistration>;
  readonly stop: () => Promise<void>;
}

export async function startAnnouncing(
  stage: Stage,
  node: Partial<Announcement> = {},
  host: VirtualHost = stage.host,
): Promise<Announcing> {
  const discovery = await discoveryOn(stage, host);
  const registration = discovery.announce({ port: 8_000, info: "Conform", server: "lmserv", ...node });
  // It rejects when it is stopped early; its own awaiters handle that.
  registration.catch(() => {});
  const stop = (): Promise<void> => stage.playback.settled(discovery[Symbol.asyncDispose](), "the goodbye");
  return { discovery, registration, stop };
}

export async function announce(
  stage: Stage,
  node: Partial<Announcement> = {},
  host: VirtualHost = stage.host,
): Promise<Service> {
  const { registration, stop } = await startAnnouncing(stage, node, host);
  await stage.playback.settled(registration, "the announcement");
  return { stop, ...(await announced(stage.peer, host)) };
}

export async function announced(peer: VirtualPeer, host: VirtualHost): Promise<Omit<Service, "stop">> {
  const first = await peer.find(host.address, isAnnouncement);
  const srv = first.message.answers.find((record) => record.type === "SRV");
  if (srv?.target === undefined || srv.port === undefined) throw new TypeError("no SRV record");
  return { instance: srv.name, hostName: srv.target, port: srv.port };
}

/** True if a packet announces a service: an unsolicited response with its SRV record. */
export function isAnnouncement({ message, dst }: Heard): boolean {
  const has = (type: string): boolean =>
    message.answers.some((record) => record.type === type && record.ttlS > 0);
  return message.response && isMulticast(dst) && has("PTR") && has("SRV");
}

export function isMulticast(address: string): boolean {
  return address === "224.0.0.251" || address === "ff02::fb";
}

/** Announces a node and waits until the announcements are over and forgotten. */
export async function quietService(stage: Stage, node: Partial<Announcement> = {}): Promise<Service> {
  const service = await announce(stage, node);
  await lastAnnouncement(stage);
  await rested(stage);
  return service;
}

/** Waits for the last announcement of that many services. */
export async function lastAnnouncement({ peer, host }: Stage, services = 1): Promise<void> {
  let count = 0;
  await peer.find(host.address, (heard) => isAnnouncement(heard) && ++count >= announcements * services);
}

/** Waits until every record of the host may be multicast again. */
export async function rested({ peer, host, until }: Stage): Promise<void> {
  const lastMs = Math.max(0, ...multicasts(peer, host).map(({ tMs }) => tMs));
  await until(lastMs + restMs);
}

/** Multicast packets of the host over IPv4. */
export function multicasts(peer: VirtualPeer, host: VirtualHost, afterMs?: number): readonly Heard[] {
  return peer.heard(host.address, afterMs).filter(({ dst }) => isMulticast(dst));
}
