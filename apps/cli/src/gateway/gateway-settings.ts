import type { AuthorityOptions, NodeCa, NodeKey, PickPolicy } from "@lmserv/discovery-client";
import type { ConfigError, GatewayConfig, ResolvedGateway } from "@lmserv/discovery-config";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import { readCertificates } from "./certificates.ts";
import { defaultPort, isExposed, type ListenAddress, parseListenAddress } from "./listen-address.ts";

/** Settings of the endpoint. */
export interface GatewaySettings {
  readonly listen: readonly ListenAddress[];
  /** True to listen on Ollama's port as well, if that is free. */
  readonly asOllama: boolean;
  /** Key that clients need, or null for none. */
  readonly key: string | null;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly policy: PickPolicy;
  /** Trusted authorities of nodes with TLS, besides Node's own. */
  readonly authorities: AuthorityOptions;
  readonly nodeKeys: readonly NodeKey[];
}

const defaultListen: ListenAddress = { address: "127.0.0.1", port: defaultPort };
/** A key that can be guessed in a night protects nothing. */
const keyPattern = /^[\x21-\x7e]{16,1024}$/;
const nodeKeyPattern = /^[\x21-\x7e]{1,1024}$/;

/**
 * Reads the section of the local endpoint.
 *
 * @throws {ConfigError} for the first invalid value, and for an endpoint that others reach without a key.
 */
export async function gatewaySettings(
  { values, fault }: ResolvedGateway,
  readFile: (path: string) => Promise<string>,
): Promise<GatewaySettings> {
  const { allowHost = [], allowOrigin = [], prefer = [], trust = "any", alias: aliases = {} } = values;
  for (const origin of allowOrigin) checked(() => parseOrigin(origin), "allowOrigin", origin, fault);
  const listen = values.listen?.map((text) => checked(() => parseListenAddress(text), "listen", text, fault));
  const key = keyOf(values, fault);
  const settings = {
    listen: listen ?? [defaultListen],
    asOllama: values.as === "ollama",
    key,
    allowHosts: allowHost,
    allowOrigins: allowOrigin,
    policy: { prefer, trust, aliases },
    nodeKeys: nodeKeysOf(values, fault),
  };
  assertClosed(settings, fault);
  return { ...settings, authorities: await authoritiesOf(values, readFile, fault) };
}

async function authoritiesOf(
  { caFile, nodeCaFiles = {} }: GatewayConfig,
  readFile: (path: string) => Promise<string>,
  fault: Fault,
): Promise<AuthorityOptions> {
  const ca = caFile === undefined ? null : await readCertificates(caFile, ["caFile"], readFile, fault);
  const nodeCas: NodeCa[] = [];
  for (const [node, file] of Object.entries(nodeCaFiles)) {
    nodeCas.push({ node, ca: await readCertificates(file, ["nodeCaFiles", node], readFile, fault) });
  }
  return { ...(ca !== null && { ca }), nodeCas };
}

type Fault = ResolvedGateway["fault"];

function checked<T>(parse: () => T, key: string, text: string, fault: Fault): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw fault([key], `holds ${JSON.stringify(text)}`, error.message);
  }
}

function keyOf({ key }: GatewayConfig, fault: Fault): string | null {
  const text = key?.trim() ?? null;
  if (text === null || keyPattern.test(text)) return text;
  throw fault(["keyFile"], "holds no key", "a key is one line of 16 to 1024 visible ASCII characters");
}

function nodeKeysOf({ nodeKeys = {} }: GatewayConfig, fault: Fault): readonly NodeKey[] {
  return Object.entries(nodeKeys).map(([node, text]) => {
    const key = text.trim();
    if (nodeKeyPattern.test(key)) return { node, key };
    throw fault(["nodeKeys", node], "holds no key", "a key is one line of visible ASCII characters");
  });
}

function assertClosed({ listen, key }: Pick<GatewaySettings, "listen" | "key">, fault: Fault): void {
  const exposed = listen.find(isExposed);
  if (!exposed || key !== null) return;
  throw exposure(exposed, fault);
}

function exposure({ address, port }: ListenAddress, fault: Fault): ConfigError {
  const reason = `holds ${formatEndpoint(address, port)}, which other machines reach, and each of them could use every server`;
  return fault(["listen"], reason, "add --key-file FILE or gateway.keyFile, or listen on 127.0.0.1");
}

/** @throws {RangeError} for an invalid origin; the message shows a valid one. */
export function parseOrigin(text: string): string {
  if (URL.canParse(text) && (new URL(text).origin === text || /^[a-z][a-z0-9+.-]*:\/\/[^/]*$/.test(text)))
    return text;
  throw new RangeError("An origin is like https://chat.example or http://10.0.0.1:3000, without a path.");
}
