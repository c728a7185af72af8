import type { Announcement, Discovery, NodeRegistration } from "@lmserv/discovery-core";
import { isLoopback, withoutZone } from "@lmserv/discovery-core/transport";
import type { SystemInterface } from "@lmserv/discovery-network";
import { close } from "../discover/opening.ts";
import type { LocalServer, LocalServerChange } from "../local-servers/local-server.ts";
import { rebindingAdvice } from "../local-servers/rebinding.ts";
import type { Reporter } from "../output/reporter.ts";
import type { NodeIds } from "./node-ids.ts";
import type { PortClaim } from "./port-claim.ts";

export interface AnnouncementsOptions {
  readonly discovery: Discovery;
  readonly ids: NodeIds;
  /** Words of the user, which override those of the server. */
  readonly overrides: Omit<Announcement, "port" | "id">;
  /** Returns true if the user expects a server on the port, and is told why it is not announced. */
  readonly isAwaited: (port: number) => boolean;
  /** Name of this machine. */
  readonly hostname: string;
  readonly platform: NodeJS.Platform;
  /** True if the command has `--share`, and it was not given. */
  readonly couldShare: boolean;
  /** Present scope of announcements, for messages: `over mdns on every interface`. */
  readonly where: () => string;
  /** Interfaces with other hosts; empty if announcements stay on this machine. */
  readonly links: () => readonly SystemInterface[];
  /**
   * Claims a port before it is announced; a port of another process is left to it. @default none is claimed
   */
  readonly claimPort?: (port: number) => Promise<PortClaim>;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** True for an assumed server, of which nothing is known. */
function isUnchecked({ addresses }: LocalServer): boolean {
  return addresses.length === 0;
}

/**
 * Bytes of JSON for a server's models: a record of the mesh, the smallest of all, holds twice that and the
 * rest.
 */
const maxModelBytes = 6_000;

/** Cuts the list of models to the size of an announcement; the server itself has the others. */
function announceable(
  models: readonly string[],
  isCut = false,
): Required<Pick<Announcement, "models" | "modelsCut">> {
  let bytes = 0;
  const names = models.filter((model) => {
    if (model.includes(",")) return false;
    bytes += Buffer.byteLength(JSON.stringify(model)) + 1;
    return bytes <= maxModelBytes;
  });
  return { models: names, modelsCut: isCut || names.length < models.length };
}

/** Text about a port without an announced server. */
export function ignoredText(port: number, reason: string): string {
  return `port ${port} is not announced: ${reason}`;
}

/** Text about another process that announces a port. */
export function rivalText(port: number, pid: number | null): string {
  const rival = pid === null ? "another process, which does not answer," : `process ${pid}`;
  return `${rival} announces port ${port} of this machine already`;
}

/** True if an address of the system, which has no zone, is among those that answered. */
function answersOn(address: string, answered: readonly string[]): boolean {
  return answered.some((one) => withoutZone(one) === address);
}

interface ResolvedAnnouncement {
  readonly server: LocalServer;
  readonly announcement: Announcement;
  readonly registration: NodeRegistration;
}

/** Announces the servers of this machine as they come, change and go. */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  /** Present servers, announced or not. */
  readonly #servers = new Map<number, LocalServer>();
  readonly #announced = new Map<number, ResolvedAnnouncement>();
  readonly #claims = new Map<number, PortClaim>();
  /** Last warning about each port, until it is taken back. */
  readonly #warned = new Map<number, string>();

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
  }

  /** Present announcements, the first one first. */
  get current(): readonly Announcement[] {
    return [...this.#announced.values()].map(({ announcement }) => announcement);
  }

  /** Brings the announcements in line with a change; rejects when nothing can be announced at all. */
  async apply(change: LocalServerChange): Promise<void> {
    if (change.kind === "ignored") return this.#ignore(change.port, change.reason);
    if (change.kind === "down") await this.#remove(change.port, change.reason);
    else await this.#put(change.server);
    // The name of the first depends on whether there is a second.
    for (const { server } of [...this.#announced.values()]) await this.#update(server);
  }

  /** Says goodbye for all of them. */
  async end(): Promise<void> {
    for (const port of [...this.#announced.keys()]) await this.#withdraw(port, "");
    for (const claim of this.#claims.values()) if (claim.kind === "held") await claim[Symbol.asyncDispose]();
    this.#claims.clear();
  }

  #ignore(port: number, reason: string): void {
    const { isAwaited, reporter } = this.#options;
    const text = ignoredText(port, reason);
    if (isAwaited(port)) reporter.note(text);
    else reporter.log("info", text);
  }

  async #put(server: LocalServer): Promise<void> {
    const { port } = server;
    this.#servers.set(port, server);
    if (!(await this.#isClaimed(port))) return;
    if (!this.#isReachable(server)) {
      if (this.#announced.has(port)) await this.#withdraw(port, ": other hosts cannot reach it any more");
      return;
    }
    if (this.#announced.has(port)) return this.#update(server);
    const { discovery, signal, where, reporter } = this.#options;
    const announcement = await this.#announcementOf(server);
    const registration = await discovery.announce(announcement, { signal });
    this.#announced.set(port, { server, announcement, registration });
    reporter.note(`announced ${this.#describe(server)}, ${where()}`);
  }

  async #remove(port: number, reason: string): Promise<void> {
    this.#servers.delete(port);
    this.#warned.delete(port);
    await this.#withdraw(port, `: ${reason}`);
  }

  async #withdraw(port: number, why: string): Promise<void> {
    const announced = this.#announced.get(port);
    if (!announced) return;
    this.#announced.delete(port);
    const { reporter } = this.#options;
    const isClosed = await close(announced.registration, reporter);
    if (isClosed) reporter.note(`said goodbye for port ${port}${why}`);
  }

  async #update(server: LocalServer): Promise<void> {
    const { port } = server;
    const announced = this.#announced.get(port);
    if (!announced) return;
    const latest = this.#servers.get(port) ?? server;
    const announcement = await this.#announcementOf(latest);
    if (JSON.stringify(announcement) === JSON.stringify(announced.announcement)) return;
    const { id, name, ...changes } = announcement;
    await announced.registration.update(changes, { signal: this.#options.signal });
    this.#announced.set(port, { ...announced, announcement, server: latest });
  }

  async #isClaimed(port: number): Promise<boolean> {
    const { claimPort, reporter } = this.#options;
    if (!claimPort) return true;
    const claim = this.#claims.get(port) ?? (await claimPort(port));
    if (claim.kind === "taken") {
      reporter.warn(rivalText(port, claim.pid));
      return false;
    }
    this.#claims.set(port, claim);
    return true;
  }

  async #announcementOf(server: LocalServer): Promise<Announcement> {
    const { ids, overrides } = this.#options;
    const { port, addresses, identification } = server;
    const { scheme, server: kind, path, apis, models, modelsCut, auth } = identification ?? {};
    return {
      port,
      id: await ids.of(port),
      info: this.#nameOf(server),
      ...(addresses.length > 0 && { addresses }),
      ...(scheme && { scheme }),
      ...(path && { path }),
      ...(kind && { server: kind }),
      ...(apis && { apis }),
      ...(models && announceable(models, modelsCut)),
      ...(auth && { auth }),
      ...overrides,
      ...(overrides.models && { modelsCut: false }),
    };
  }

  /** Host name, with the server if this machine has several. */
  #nameOf({ port, identification }: LocalServer): string {
    const { hostname } = this.#options;
    if (this.#servers.size < 2) return hostname;
    const kind = identification?.server ?? null;
    const twins = [...this.#servers.values()].filter(
      (other) => (other.identification?.server ?? null) === kind,
    );
    return kind === null || twins.length > 1
      ? `${hostname} ${kind ?? "port"} ${port}`
      : `${hostname} ${kind}`;
  }

  #describe(server: LocalServer): string {
    const { overrides } = this.#options;
    const { port, identification } = server;
    const kind =
      overrides.server ?? identification?.server ?? (isUnchecked(server) ? null : "an unknown server");
    const name = JSON.stringify(overrides.info ?? this.#nameOf(server));
    return kind === null ? `port ${port} as ${name}` : `${kind} on port ${port} as ${name}`;
  }

  /** Warns of a server that other hosts, or some of them, cannot reach; retracts that when it is over. */
  #isReachable(server: LocalServer): boolean {
    if (isUnchecked(server)) return true;
    const { port, addresses, identification } = server;
    const { platform, couldShare } = this.#options;
    const links = this.#options.links();
    if (links.length === 0) return true;
    const isReachable = !addresses.every(isLoopback);
    const missing = links.filter((link) =>
      link.addresses.every(({ address }) => !answersOn(address, addresses)),
    );
    const hosts = isReachable ? `hosts on ${missing.map(({ name }) => name).join(", ")}` : "other hosts";
    const consequence = isReachable ? "" : ", and it is not announced";
    const sharing = !isReachable && couldShare ? "; or have it shared as it is: --share" : "";
    const advice = `${rebindingAdvice(identification?.server ?? null, platform)}${sharing}`;
    const warning = `the server on port ${port} answers on ${addresses.join(", ")} only, so that ${hosts} cannot reach it${consequence}; ${advice}`;
    this.#warn(port, missing.length === 0 ? null : warning);
    return isReachable;
  }

  #warn(port: number, warning: string | null): void {
    const { reporter } = this.#options;
    if ((this.#warned.get(port) ?? null) === warning) return;
    if (warning === null) {
      this.#warned.delete(port);
      reporter.note(`the server on port ${port} answers on every address of this machine now`);
    } else {
      this.#warned.set(port, warning);
      reporter.warn(warning);
    }
  }
}
