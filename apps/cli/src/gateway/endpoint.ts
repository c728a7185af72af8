import { hostname } from "node:os";
import { Authorities, NodeKeys } from "@lmserv/discovery-client/forwarding";
import { isConfigError } from "@lmserv/discovery-config";
import type { Discovery, DiscoveryError, NodeInfo } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";
import { createGateway, type Gateway } from "@lmserv/discovery-gateway";
import type { Configuration } from "../config/configuration.ts";
import type { OpeningOptions } from "../discover/opening.ts";
import type { Io } from "../io/io.ts";
import type { Request } from "../options/request.ts";
import { UsageError } from "../options/usage-error.ts";
import { describeFailure } from "../output/failure.ts";
import type { Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import { readVersion } from "../version.ts";
import { clientAdvice } from "./client-advice.ts";
import { type GatewaySettings, gatewaySettings } from "./gateway-settings.ts";
import { endpointUrl, type ListenAddress } from "./listen-address.ts";
import { Obstacles } from "./obstacles.ts";
import { PlainKeys } from "./plain-keys.ts";
import { holderOf } from "./port-holder.ts";
import { servedModels } from "./served-models.ts";
import { drainAll, type GatewayServer } from "./server.ts";

const ollamaAddress: ListenAddress = { address: "127.0.0.1", port: 11_434 };

/** Local endpoint of a command, from its options to its end. */
export class Endpoint {
  readonly #settings: GatewaySettings;
  readonly #request: Request;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #keyOf: (node: NodeInfo) => string | null;
  /** Present gateway. */
  #gateway: Gateway | null = null;

  private constructor(settings: GatewaySettings, request: Request, io: Io, reporter: Reporter) {
    this.#settings = settings;
    this.#request = request;
    const keys = new NodeKeys(settings.nodeKeys);
    this.#keyOf = (node) => keys.of(node);
    this.#io = io;
    this.#reporter = reporter;
  }

  /**
   * Reads the configuration; opens nothing.
   *
   * @throws {UsageError} for a mistake there, and for an endpoint that others reach without a key.
   */
  static async prepare(
    { gateway }: Configuration,
    request: Request,
    io: Io,
    reporter: Reporter,
  ): Promise<Endpoint> {
    if (!gateway) throw new TypeError("the section of the local endpoint was not resolved");
    try {
      return new Endpoint(await gatewaySettings(gateway, io.readFile), request, io, reporter);
    } catch (error) {
      if (isConfigError(error)) throw new UsageError(error.message, { cause: error });
      throw error;
    }
  }

  /** Options for opening the discovery that it serves. */
  async openingOptions(signal: AbortSignal): Promise<OpeningOptions> {
    const { log, warn } = this.#reporter;
    // Health and forwarding share their authorities: a node with an untrusted certificate must not be called
    // healthy.
    const authorities = new Authorities(this.#settings.authorities);
    return {
      health: await this.#io.health({ keyOf: this.#keyOf, caOf: (node) => authorities.of(node) }),
      log,
      onTransport: (status) => this.#gateway?.transportChanged(status),
      onWarning: (warning: DiscoveryError) => {
        this.#gateway?.warn(warning);
        // The log holds it already.
        if (!this.#request.verbose) warn(describeFailure(warning));
      },
      signal,
    };
  }

  /**
   * Serves all nodes until a signal.
   *
   * @param onListening - Called once it listens.
   * @throws {UsageError} when a port is in use; the message names its holder if that is known.
   */
  async serve(discovery: Discovery, signal: AbortSignal, onListening: () => void = () => {}): Promise<void> {
    const gateway = this.#open(discovery);
    const claims: AsyncDisposable[] = [];
    try {
      const servers = await this.#listenAll(gateway);
      // By its claim, a process that finds the port taken knows this one.
      for (const { port } of this.#settings.listen) {
        const claim = await this.#io.claimPort(port);
        if (claim.kind === "held") claims.push(claim);
      }
      const list = await this.#io.serveList(() => gateway.listing(), this.#settings.key === null);
      if (list) claims.push(list);
      this.#advise();
      onListening();
      await this.#tellChanges(gateway, discovery, signal);
      gateway.drain();
      const draining = drainAll(servers, this.#io.clock);
      await showing(
        this.#io,
        this.#reporter,
        "waiting for answers under way; a second signal ends it",
        draining,
      );
    } finally {
      this.#gateway = null;
      for (const claim of claims) await claim[Symbol.asyncDispose]();
      gateway[Symbol.dispose]();
    }
  }

  #open(discovery: Discovery): Gateway {
    const { policy, allowHosts, allowOrigins, key, nodeKeys, authorities } = this.#settings;
    this.#gateway = createGateway(discovery, {
      ...policy,
      nodeKeys,
      ...authorities,
      key,
      allowHosts,
      allowOrigins,
      hostname: hostname(),
      clock: this.#io.clock,
      version: readVersion(),
      examine: async (signal) => {
        const { examinationOf } = await import("../doctor/doctor.ts");
        return examinationOf(this.#request, this.#io, signal);
      },
      onRequest: ({ method, path, status, node, attempts }) => {
        this.#reporter.log("info", `${method} ${path} ${status}`, { node, attempts });
      },
    });
    return this.#gateway;
  }

  async #listenAll(gateway: Gateway): Promise<readonly GatewayServer[]> {
    const { listen, asOllama } = this.#settings;
    const { note, warn } = this.#reporter;
    const servers: GatewayServer[] = [];
    for (const address of listen) {
      servers.push(await this.#listen(gateway, address));
      note(`listening on ${endpointUrl(address)}`);
    }
    if (!asOllama) return servers;
    try {
      servers.push(await this.#listen(gateway, ollamaAddress));
      note(`listening on ${endpointUrl(ollamaAddress)} too, where clients look for Ollama`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      warn(`not in place of Ollama: ${error.message}`);
    }
    return servers;
  }

  async #listen(gateway: Gateway, address: ListenAddress): Promise<GatewayServer> {
    try {
      return await this.#io.listenGateway(gateway, address);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : null;
      const why = code === "EADDRINUSE" ? `${await holderOf(address, this.#io)} has it` : explain(error);
      throw new UsageError(`cannot listen on ${address.address}:${address.port}: ${why}`, { cause: error });
    }
  }

  #advise(): void {
    const { listen, policy, key } = this.#settings;
    const system = this.#io.readSystem();
    for (const line of clientAdvice(listen, key !== null, system)) this.#reporter.note(line);
    if (policy.trust === "signed") this.#reporter.note(trustNote(this.#io));
  }

  /** Logs the served models, at every change, until a signal. */
  async #tellChanges(gateway: Gateway, discovery: Discovery, signal: AbortSignal): Promise<void> {
    const plainKeys = new PlainKeys(this.#keyOf, this.#reporter.warn);
    const obstacles = new Obstacles(gateway, this.#reporter.note);
    let told = "";
    try {
      for await (const _ of discovery.watch({ signal })) {
        plainKeys.look(discovery.registry.listAlive());
        obstacles.look();
        const text = servedModels(gateway);
        if (text !== told) this.#reporter.note(text);
        told = text;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function trustNote({ plugins }: Io): string {
  const all = [...plugins.values()];
  const typesOf = (some: typeof all): string => some.map(({ type }) => type).join(", ");
  const [signing, others] = [all.filter(({ signs }) => signs), all.filter(({ signs }) => !signs)];
  return `only nodes that sign their announcements are used: over ${typesOf(signing)}; ${typesOf(others)} sign nothing`;
}
