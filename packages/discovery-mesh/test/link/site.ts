import { silentLog, systemClock } from "@lmserv/discovery-core/transport";
import { generateNodeKey } from "@lmserv/discovery-signing";
import { generateKey, parseKeys } from "../../src/link/cluster-key.ts";
import { type DialOptions, dial } from "../../src/link/dialer.ts";
import type { Party } from "../../src/link/handshake-hello.ts";
import { PingSchedule } from "../../src/link/heartbeat.ts";
import { defaultLimits, type LinkLimits } from "../../src/link/limits.ts";
import type { Link, LinkEnd } from "../../src/link/link.ts";
import { type ListenOptions, listen } from "../../src/link/listener.ts";
import type { LinkHost } from "../../src/link/peer-link.ts";
import type { RefusalReason } from "../../src/link/refusal.ts";

/** The text of the key file that parties of these tests share. */
export const keyText = generateKey();
/** Where a busy machine takes its time, nobody is given up but by a test that is about that. */
const patient: LinkLimits = { ...defaultLimits, admissionMs: 600_000, dialMs: 600_000, pongMs: 600_000 };
let instances = 0;

export function party(changes: Partial<Party> = {}): Party {
  instances += 1;
  return {
    nodeKey: generateNodeKey(),
    cluster: "home",
    clusterKeys: parseKeys(keyText),
    epoch: 1,
    instance: `instance-${instances}`,
    role: "member",
    advertise: [],
    ...changes,
  };
}

/** A link and what it told. */
export interface Watched {
  readonly link: Link;
  readonly messages: string[];
  readonly ended: Promise<LinkEnd>;
}

/** One side with everything that it collects. */
export interface Site {
  readonly party: Party;
  readonly host: LinkHost;
  readonly links: readonly Watched[];
  /** Resolves with the n-th link (from 0), past or future. */
  link(index?: number): Promise<Watched>;
  listen(
    options?: Partial<ListenOptions>,
  ): Promise<AsyncDisposable & { readonly port: number; readonly url: string }>;
  dial(url: string, options?: Partial<DialOptions>): Promise<Link>;
  /** Resolves when a connection was refused for that reason at least so often. */
  refused(reason: RefusalReason, times?: number): Promise<void>;
}

export function site(
  changes: Partial<Party> = {},
  limits: Partial<LinkLimits> = {},
  more: Partial<LinkHost> = {},
): Site {
  const self = party(changes);
  const links: Watched[] = [];
  const refusals: RefusalReason[] = [];
  const watchers = new Set<() => void>();
  const notice = (): void => {
    for (const watcher of watchers) watcher();
  };
  const until = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });
  const host: LinkHost = {
    clock: systemClock,
    log: silentLog,
    limits: { ...patient, ...limits },
    pings: new PingSchedule(systemClock, { ...patient, ...limits }.pingIntervalMs),
    handler(link) {
      const messages: string[] = [];
      let end: (why: LinkEnd) => void = () => {};
      const ended = new Promise<LinkEnd>((resolve) => {
        end = resolve;
      });
      links.push({ link, messages, ended });
      notice();
      return {
        message(text) {
          messages.push(text);
          notice();
        },
        closed: end,
      };
    },
    ...more,
  };
  return {
    party: self,
    host,
    links,
    link: (index = 0) => until(() => links[index]),
    refused: async (reason, times = 1) => {
      await until(() => (refusals.filter((one) => one === reason).length >= times ? true : undefined));
    },
    async listen(options = {}) {
      const listener = await listen({
        addresses: [{ host: "127.0.0.1", port: 0 }],
        party: self,
        host,
        refused: (refusal) => {
          refusals.push(refusal.reason);
          notice();
        },
        failed: () => {},
        ...options,
      });
      const port = listener.addresses[0]?.port ?? 0;
      const scheme = options.tls ? "wss" : "ws";
      return {
        port,
        url: `${scheme}://127.0.0.1:${port}`,
        [Symbol.asyncDispose]: async () => listener.close(),
      };
    },
    dial: (url, options = {}) =>
      dial({ url, party: self, host, signal: new AbortController().signal, ...options }),
  };
}

/** Two that are linked. Disposal cuts whatever is left. */
export async function linked(
  limits: Partial<LinkLimits> = {},
  dialerLimits: Partial<LinkLimits> = {},
): Promise<AsyncDisposable & { readonly listener: Watched; readonly dialer: Watched }> {
  const left = site({}, limits);
  const right = site({}, dialerLimits);
  const door = await left.listen();
  await right.dial(door.url);
  const [listener, dialer] = await Promise.all([left.link(), right.link()]);
  return {
    listener,
    dialer,
    async [Symbol.asyncDispose]() {
      await Promise.all([listener.link.close("duplicate"), dialer.link.close("duplicate")]);
      await door[Symbol.asyncDispose]();
    },
  };
}
