import type { Discovery, NodeInfo } from "@lmserv/discovery-core";
import { configure, firstPassMs } from "../config/configuration.ts";
import { close, openDiscovery } from "../discover/opening.ts";
import { exitCode } from "../exit-code.ts";
import { defaultPort, endpointUrl } from "../gateway/listen-address.ts";
import { interruptedCode } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import type { Request } from "../options/request.ts";
import { describeFailure, failuresOf, failuresOfAll } from "../output/failure.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import { assignment, type Shell } from "./shell.ts";

/** Request of `lmserv env`. */
export interface EnvRequest extends Request {
  /** Shell whose command sets a variable, or null for lines of `NAME=value`. */
  readonly shell: Shell | null;
}

type Variables = Readonly<Record<string, string>>;

const endpoint = { address: "127.0.0.1", port: defaultPort };
/** A program on this machine answers at once, in ms. */
const askMs = 2_000;
const lookMs = 3_000;

/** Prints variables that point clients at the local endpoint, or else at a server; resolves with the exit code. */
export async function printEnvironment(request: EnvRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const looking = findVariables(request, io, reporter, signal);
  const found = await showing(io, reporter, "looking for LLM servers", looking);
  if (typeof found === "number") return found;
  const lines = Object.entries(found).map(([name, value]) => assignment(request.shell, name, value));
  io.stdout.write(lines.map((line) => `${line}\n`).join(""));
  return exitCode.found;
}

const variablesOfEndpoint: Variables = {
  OPENAI_BASE_URL: `${endpointUrl(endpoint)}/v1`,
  OLLAMA_HOST: endpointUrl(endpoint),
};

/** Variables of this machine's endpoint or else of servers, or the exit code where there are none. */
async function findVariables(
  request: EnvRequest,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Variables | number> {
  return (await isEndpointThere(io)) ? variablesOfEndpoint : look(request, io, reporter, signal);
}

async function isEndpointThere({ fingerprint }: Io): Promise<boolean> {
  const { address, port } = endpoint;
  const result = await fingerprint(address, port, AbortSignal.timeout(askMs)).catch(() => null);
  return result?.kind === "document" && result.role === "gateway";
}

/** Variables of servers on the network, or the exit code without any. */
async function look(
  request: EnvRequest,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Variables | number> {
  const configuration = await configure(request, io, reporter, { interactive: true, identity: null });
  const timeoutMs = Math.max(lookMs, await firstPassMs(configuration));
  let discovery: Discovery;
  try {
    const options = {
      health: await io.health({ certificates: "any" }),
      log: reporter.log,
      waitForNetwork: false,
      signal,
    };
    discovery = await openDiscovery(configuration, io, options);
  } catch (error) {
    if (signal.aborted) return interruptedCode(signal);
    for (const failure of failuresOf(error)) reporter.error(describeFailure(failure));
    return exitCode.failed;
  }
  try {
    const variables = variablesOf(
      await discovery.discover({ timeoutMs, untilSettled: true, healthy: true, signal }),
    );
    if (Object.keys(variables).length > 0) return variables;
    const failures = failuresOfAll(discovery);
    for (const failure of failures) reporter.error(describeFailure(failure));
    reporter.note("no LLM server can be used, and no lmserv up runs on this machine");
    return failures.length > 0 ? exitCode.failed : exitCode.none;
  } catch (error) {
    if (signal.aborted) return interruptedCode(signal);
    throw error;
  } finally {
    await close(discovery, reporter);
  }
}

function variablesOf(nodes: readonly NodeInfo[]): Variables {
  const openai = nodes.find(({ openaiUrl }) => openaiUrl !== null)?.openaiUrl ?? null;
  const ollama = nodes.find(({ apis }) => apis.includes("ollama"))?.baseUrl ?? null;
  return {
    ...(openai !== null && { OPENAI_BASE_URL: openai }),
    ...(ollama !== null && { OLLAMA_HOST: ollama }),
  };
}
