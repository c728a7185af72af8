import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import type { Order, Targets } from "./order.ts";
import { installedProxies, type ProxyProgram, upstreamPort } from "./proxy.ts";

/** A proxy that runs. */
export interface RunningProxy {
  readonly name: string;
  readonly origin: string;
  readonly process: HostProcess;
}

/** A server, all proxies in front of it, and a client, on the loopback interface of one host. Disposal ends all. */
export interface Site extends AsyncDisposable {
  readonly upstream: HostProcess;
  readonly proxies: readonly RunningProxy[];
  /** The upstream itself under the name `direct`, then the proxies. */
  readonly targets: Targets;
  /** Has the client measure; resolves with its answer. */
  readonly ask: <T>(order: Order) => Promise<T>;
}

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "lmserv-bench-gateway-"));
  const lan = await createLan({ hosts: 1 });
  const dispose = async (): Promise<void> => {
    await lan[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [host] = lan.hosts;
    const upstream = await host.spawn(program("upstream", `${upstreamPort}`));
    await upstream.line((line) => line === "listening");
    const proxies: RunningProxy[] = [];
    for (const proxy of installedProxies()) proxies.push(await start(proxy, host, folder));
    const client = await host.spawn(program("client"));
    const direct = `http://127.0.0.1:${upstreamPort}`;
    return {
      upstream,
      proxies,
      targets: { direct, ...Object.fromEntries(proxies.map(({ name, origin }) => [name, origin])) },
      ask: (order) => ask(client, order),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function program(name: string, ...args: readonly string[]): Command {
  const file = fileURLToPath(import.meta.resolve(`@lmserv/bench/gateway/programs/${name}`));
  return [process.execPath, file, ...args];
}

async function start(proxy: ProxyProgram, host: Host, folder: string): Promise<RunningProxy> {
  const process = await host.spawn(await proxy.prepare(folder));
  const origin = `http://127.0.0.1:${proxy.port}`;
  await isReady(host, origin);
  return { name: proxy.name, origin, process };
}

/** Resolves when the model of the upstream is listed there. */
async function isReady(host: Host, origin: string): Promise<void> {
  const script = `until curl --silent --max-time 5 ${origin}/v1/models | grep --quiet '"m"'; do sleep 0.1; done`;
  const waiting = await host.spawn(["sh", "-c", script]);
  await waiting.exited;
}

async function ask<T>(client: HostProcess, order: Order): Promise<T> {
  const from = client.lines.length;
  client.stdin.write(`${JSON.stringify(order)}\n`);
  return JSON.parse(await client.line(() => true, { from, timeoutMs: 600_000 })) as T;
}
