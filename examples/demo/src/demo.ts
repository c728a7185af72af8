import { createDiscovery } from "@lmserv/discovery-core";
import { httpHealth } from "@lmserv/discovery-fingerprint";
import { mdns } from "@lmserv/discovery-mdns";
import { type ChatFleet, startFleet } from "./chat-fleet.ts";
import { type Endpoint, openEndpoint } from "./endpoint.ts";
import { type Scene, Stage } from "./stage.ts";

/** Generous: it takes less than a second. */
const findMs = 15_000;
/** Generous: a node is kept for a second after its goodbye (RFC 6762 section 10.1). */
const goodbyeMs = 5_000;
const prompts = { first: "Hello!", second: "Still there?" };

export interface DemoOptions {
  /** Of the interface to use. */
  readonly address: string;
  /** Ends the demo after the answer. */
  readonly once: boolean;
  /** Takes every change of the scene. */
  readonly show: (scene: Scene) => void;
  /** Ends the demo early: the servers say goodbye and are seen to leave. */
  readonly signal: AbortSignal;
}

/**
 * Starts chat servers, shows how they are found, and talks to them at one address while one of them is killed.
 *
 * @throws {Error} when one of them is not found in time, or fails.
 */
export async function runDemo({ address, once, show, signal }: DemoOptions): Promise<void> {
  const failure = new AbortController();
  const running = AbortSignal.any([signal, failure.signal]);
  await using fleet = startFleet(address, (error) => failure.abort(error));
  const transports = [mdns({ interfaces: [address] })];
  await using discovery = await createDiscovery({ transports, health: httpHealth() });
  await using endpoint = await openEndpoint(discovery);
  const stage = new Stage(discovery, fleet, show);
  try {
    const late = setTimeout(() => failure.abort(notFound(fleet, stage)), findMs);
    await find(fleet, stage, running).finally(() => clearTimeout(late));
    await converse(endpoint, fleet, stage, running);
    if (once) return;
    stage.update({ status: nextSteps(endpoint, address) });
    await stage.until(() => false, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await dismiss(fleet, stage);
}

async function find({ servers }: ChatFleet, stage: Stage, signal: AbortSignal): Promise<void> {
  stage.update({ status: "Looking for servers ..." });
  await stage.until(({ nodes }) => nodes.length === servers.size, signal);
  signal.throwIfAborted();
}

function notFound({ servers }: ChatFleet, stage: Stage): Error {
  const { nodes, warnings } = stage.update();
  const found = new Set(nodes.map(({ id }) => id));
  const missing = [...servers].flatMap(([id, { info }]) => (found.has(id) ? [] : [info]));
  return new Error([`not found within ${findMs / 1_000} s: ${missing.join(", ")}`, ...warnings].join("\n"));
}

/** Talks to whichever server the endpoint picks; the first one is killed in between. */
async function converse(
  { url }: Endpoint,
  fleet: ChatFleet,
  stage: Stage,
  signal: AbortSignal,
): Promise<void> {
  const first = await ask(url, prompts.first, fleet, stage, signal);
  fleet.kill(first);
  stage.update({ answer: `${stage.update().answer}(${nameOf(fleet, first)} is killed)\n` });
  await ask(url, prompts.second, fleet, stage, signal);
}

/** Resolves with the identity of the server that answered. */
async function ask(
  url: string,
  prompt: string,
  fleet: ChatFleet,
  stage: Stage,
  signal: AbortSignal,
): Promise<string> {
  stage.update({ status: "Asking whoever is there ..." });
  const body = JSON.stringify({ prompt, max_tokens: 64 });
  const response = await fetch(url, { method: "POST", body, signal });
  const id = response.headers.get("x-lmserv-node") ?? "";
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  let answer = `${stage.update().answer}POST ${url} "${prompt}"\n${nameOf(fleet, id)}: `;
  for await (const words of response.body.pipeThrough(new TextDecoderStream())) {
    answer += words;
    stage.update({ answer });
  }
  return id;
}

function nameOf({ servers }: ChatFleet, id: string): string {
  return servers.get(id)?.info ?? id;
}

function nextSteps({ url }: Endpoint, address: string): string {
  return [
    "Next, in another terminal:",
    `  npx lmserv discover --interface ${address}`,
    `  curl ${url} -d '{"prompt": "And me?"}'`,
    "Ctrl-C ends the servers.",
  ].join("\n");
}

async function dismiss({ stop, killed }: ChatFleet, stage: Stage): Promise<void> {
  stage.update({ status: "The servers say goodbye ..." });
  stop();
  const patience = new AbortController();
  const late = setTimeout(() => patience.abort(), goodbyeMs);
  const isEmpty = await stage.until(({ nodes }) => nodes.every(({ id }) => killed.has(id)), patience.signal);
  clearTimeout(late);
  if (!isEmpty) {
    const silent = stage.update().nodes.map(({ info }) => info);
    throw new Error(`no goodbye was heard of ${silent.join(", ")}`);
  }
  stage.update({ status: "All servers said goodbye." });
}
