import { hostname } from "node:os";
import type { NodeKey, PickPolicy } from "@lmserv/discovery-client";
import type { Discovery, DiscoveryError } from "@lmserv/discovery-core";
import { explain, formatEndpoint } from "@lmserv/discovery-core/transport";
import { createGateway, type Gateway } from "@lmserv/discovery-gateway";
import { describeFailure } from "../failure.ts";
import type { Io } from "../io.ts";
import type { OpeningOptions } from "../opening.ts";
import type { Loudness, Reporter } from "../reporter.ts";
import { UsageError } from "../usage-error.ts";
import { readVersion } from "../version.ts";
import { clientAdvice } from "./client-advice.ts";
import { readCertificates, readKeyFile } from "./key-file.ts";
import { endpointUrl, isExposed, type ListenAddress } from "./listen-address.ts";
import { holderOf } from "./port-holder.ts";
import { servedModels } from "./served-models.ts";
import { drainAll, type GatewayServer } from "./server.ts";

/** What a command line says of the local endpoint. */
export interface EndpointRequest extends Loudness {
  readonly listen: readonly ListenAddress[];
  /** Whether it also listens where Ollama does, if that is free. */
  readonly asOllama: boolean;
  /** File with the key that clients need, or null for none. */
  readonly keyFile: string | null;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly policy: PickPolicy;
  /** File with authorities that vouch for nodes with TLS, or null for Node's own alone. */
  readonly caFile: string | null;
  readonly nodeKeyFiles: readonly NodeKeyFile[];
}

/** File with the key of a node. */
export interface NodeKeyFile {
  /** `host:port` of the node, or the id of a signed one. */
  readonly node: string;
  readonly file: string;
}

const ollamaAddress: ListenAddress = { address: "127.0.0.1", port: 11_434 };

/** What the files that a command line names hold. */
interface EndpointSecrets {
  readonly key: string | null;
  readonly nodeKeys: readonly NodeKey[];
  readonly ca: string | null;
}

/** The local endpoint of a command, from its options to its end. */
export class Endpoint {
  readonly #request: EndpointRequest;
  readonly #secrets: EndpointSecrets;
  readonly #io: Io;
  readonly #reporter: Reporter;
  /** The one that is served now. */
  #gateway: Gateway | null = null;

  private constructor(request: EndpointRequest, secrets: EndpointSecrets, io: Io, reporter: Reporter) {
    this.#request = request;
    this.#secrets = secrets;
    this.#io = io;
    this.#reporter = reporter;
  }

  /**
   * Reads the files that it needs; nothing is opened.
   *
   * @throws {UsageError} for a file that cannot be used, and for an endpoint that others reach without a key.
   */
  static async prepare(request: EndpointRequest, io: Io, reporter: Reporter): Promise<Endpoint> {
    const key = await keyOf(request, io, reporter);
    const nodeKeys = await readNodeKeys(request.nodeKeyFiles, io, reporter);
    const ca = request.caFile === null ? null : await readCertificates(request.caFile, io);
    return new Endpoint(request, { key, nodeKeys, ca }, io, reporter);
  }

  /** How the discovery that it serves is opened. */
  async openingOptions(signal: AbortSignal): Promise<OpeningOptions> {
    const { log, warn } = this.#reporter;
    return {
      health: await this.#io.health(),
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
   * @param onListening - Runs once it listens.
   * @throws {UsageError} when a port is in use; the message names who has it where that can be known.
   */
  async serve(discovery: Discovery, signal: AbortSignal, onListening: () => void = () => {}): Promise<void> {
    const gateway = this.#open(discovery);
    const claims: AsyncDisposable[] = [];
    try {
      const servers = await this.#listenAll(gateway);
      // By its claim, a process that finds the port taken knows this one.
      for (const { port } of this.#request.listen) {
        const claim = await this.#io.claimPort(port);
        if (claim.kind === "held") claims.push(claim);
      }
      this.#advise();
      onListening();
      await this.#tellChanges(discovery, signal);
      gateway.drain();
      await drainAll(servers, this.#io.clock);
    } finally {
      this.#gateway = null;
      for (const claim of claims) await claim[Symbol.asyncDispose]();
      gateway[Symbol.dispose]();
    }
  }

  #open(discovery: Discovery): Gateway {
    const { policy, allowHosts, allowOrigins } = this.#request;
    const { key, nodeKeys, ca } = this.#secrets;
    this.#gateway = createGateway(discovery, {
      ...policy,
      nodeKeys,
      ...(ca !== null && { ca }),
      key,
      allowHosts,
      allowOrigins,
      hostname: hostname(),
      clock: this.#io.clock,
      version: readVersion(),
      onRequest: ({ method, path, status, node, attempts }) => {
        this.#reporter.log("info", `${method} ${path} ${status}`, { node, attempts });
      },
    });
    return this.#gateway;
  }

  async #listenAll(gateway: Gateway): Promise<readonly GatewayServer[]> {
    const { listen, asOllama } = this.#request;
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
    const { listen, policy } = this.#request;
    const system = this.#io.readSystem();
    for (const line of clientAdvice(listen, this.#secrets.key !== null, system)) this.#reporter.note(line);
    if (policy.trust === "signed") this.#reporter.note(trustNote);
  }

  /** Notes what can be served, at every change, until a signal. */
  async #tellChanges(discovery: Discovery, signal: AbortSignal): Promise<void> {
    let told = "";
    try {
      for await (const _ of discovery.watch({ signal })) {
        const text = servedModels(discovery.registry.listAlive(), this.#request.policy);
        if (text !== told) this.#reporter.note(text);
        told = text;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

const trustNote =
  "only nodes that sign their announcements are used: over mesh, etcd and nats; mDNS and ARP sign nothing";

/** @throws {UsageError} for an endpoint that others reach without a key. */
async function keyOf(
  { keyFile, listen }: EndpointRequest,
  io: Io,
  reporter: Reporter,
): Promise<string | null> {
  const [exposed] = listen.filter(isExposed);
  if (keyFile !== null) return readKeyFile(keyFile, io, reporter);
  if (!exposed) return null;
  throw new UsageError(
    `--listen ${formatEndpoint(exposed.address, exposed.port)} is for other machines too, and whoever reaches it could use every server: add --key-file FILE, or listen on 127.0.0.1`,
  );
}

async function readNodeKeys(
  files: readonly NodeKeyFile[],
  io: Io,
  reporter: Reporter,
): Promise<readonly NodeKey[]> {
  return Promise.all(
    files.map(async ({ node, file }) => ({ node, key: await readKeyFile(file, io, reporter) })),
  );
}
