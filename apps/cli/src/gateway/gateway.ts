import { hostname } from "node:os";
import type { NodeKey, PickPolicy } from "@lmserv/discovery-client";
import type { Discovery, DiscoveryError } from "@lmserv/discovery-core";
import { explain, formatEndpoint, type Transport } from "@lmserv/discovery-core/transport";
import { createGateway, type Gateway } from "@lmserv/discovery-gateway";
import { configure } from "../configuration.ts";
import { exitCode } from "../exit-code.ts";
import { describeFailure, failuresOf } from "../failure.ts";
import { interruptedCode, isEndedBy } from "../interruption.ts";
import type { Io } from "../io.ts";
import { localTransport } from "../local-servers/local-transport.ts";
import { machineServers, portsToWatch } from "../local-servers/machine-servers.ts";
import { close, openDiscovery } from "../opening.ts";
import { createReporter, type Reporter } from "../reporter.ts";
import type { Request } from "../request.ts";
import { UsageError } from "../usage-error.ts";
import { clientAdvice } from "./client-advice.ts";
import { readCertificates, readKeyFile } from "./key-file.ts";
import { endpointUrl, isExposed, type ListenAddress } from "./listen-address.ts";
import { holderOf } from "./port-holder.ts";
import { servedModels } from "./served-models.ts";
import { drainAll, type GatewayServer } from "./server.ts";

/** `lmserv gateway` */
export interface GatewayRequest extends Request {
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

/** Serves all nodes at one endpoint until a signal; resolves with the exit code. */
export async function serveGateway(request: GatewayRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const key = await keyOf(request, io, reporter);
  const nodeKeys = await readNodeKeys(request.nodeKeyFiles, io, reporter);
  const ca = request.caFile === null ? null : await readCertificates(request.caFile, io);
  const configuration = await configure(request, io, reporter, { interactive: true, identity: null });
  const watch = (ending: AbortSignal) =>
    machineServers({ ports: portsToWatch(null, []), isNamed: false }, io, ending);
  const own: Transport = localTransport(watch, hostname());
  let discovery: Discovery;
  try {
    discovery = await openDiscovery({ ...configuration, composed: [...configuration.composed, own] }, io, {
      health: await io.health(),
      log: reporter.log,
      onWarning: (warning: DiscoveryError) => {
        if (!request.verbose) reporter.warn(describeFailure(warning));
      },
      signal,
    });
  } catch (error) {
    if (signal.aborted) return interruptedCode(signal);
    for (const failure of failuresOf(error)) reporter.error(describeFailure(failure));
    return exitCode.failed;
  }
  try {
    await serve({ ...request, key, nodeKeys, ca }, discovery, io, reporter, signal);
  } finally {
    await close(discovery, reporter);
  }
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}

/** @throws {UsageError} for an endpoint that others reach without a key. */
async function keyOf(
  { keyFile, listen }: GatewayRequest,
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

interface ServingRequest extends GatewayRequest {
  readonly key: string | null;
  readonly nodeKeys: readonly NodeKey[];
  readonly ca: string | null;
}

async function serve(
  request: ServingRequest,
  discovery: Discovery,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const { key, allowHosts, allowOrigins, policy, nodeKeys, ca } = request;
  const gateway = createGateway(discovery, {
    ...policy,
    nodeKeys,
    ...(ca !== null && { ca }),
    key,
    allowHosts,
    allowOrigins,
    hostname: hostname(),
    clock: io.clock,
    onRequest: ({ method, path, status, node, attempts }) => {
      reporter.log("info", `${method} ${path} ${status}`, { node, attempts });
    },
  });
  const claims: AsyncDisposable[] = [];
  try {
    const servers = await listenAll(gateway, request, io, reporter);
    // By its claim, a process that finds the port taken knows this one.
    for (const { port } of request.listen) {
      const claim = await io.claimPort(port);
      if (claim.kind === "held") claims.push(claim);
    }
    for (const line of clientAdvice(request.listen, key !== null, io.readSystem())) reporter.note(line);
    if (policy.trust === "signed") reporter.note(trustNote);
    await tellChanges(discovery, request, reporter, signal);
    await drainAll(servers, io.clock);
  } finally {
    for (const claim of claims) await claim[Symbol.asyncDispose]();
    gateway[Symbol.dispose]();
  }
}

const trustNote =
  "only nodes that sign their announcements are used: over mesh, etcd and nats; mDNS and ARP sign nothing";

/** @throws {UsageError} when a port is in use; the message names who has it where that can be known. */
async function listenAll(
  gateway: Gateway,
  { listen, asOllama }: GatewayRequest,
  io: Io,
  reporter: Reporter,
): Promise<readonly GatewayServer[]> {
  const servers: GatewayServer[] = [];
  for (const address of listen) {
    servers.push(await listenOrExplain(gateway, address, io));
    reporter.note(`listening on ${endpointUrl(address)}`);
  }
  if (!asOllama) return servers;
  try {
    servers.push(await listenOrExplain(gateway, ollamaAddress, io));
    reporter.note(`listening on ${endpointUrl(ollamaAddress)} too, where clients look for Ollama`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    reporter.warn(`not in place of Ollama: ${error.message}`);
  }
  return servers;
}

async function listenOrExplain(gateway: Gateway, address: ListenAddress, io: Io): Promise<GatewayServer> {
  try {
    return await io.listenGateway(gateway, address);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    const why = code === "EADDRINUSE" ? `${await holderOf(address, io)} has it` : explain(error);
    throw new UsageError(`cannot listen on ${address.address}:${address.port}: ${why}`, { cause: error });
  }
}

/** Notes what can be served, at every change, until a signal. */
async function tellChanges(
  discovery: Discovery,
  { policy }: GatewayRequest,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  let told = "";
  try {
    for await (const _ of discovery.watch({ signal })) {
      const text = servedModels(discovery.registry.listAlive(), policy);
      if (text !== told) reporter.note(text);
      told = text;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
