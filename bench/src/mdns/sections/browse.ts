import { setTimeout as delay } from "node:timers/promises";
import { startAvahi } from "@lmserv/test-netlab";
import { type Figure, figure } from "../../harness/figure.ts";
import { rounds } from "../../harness/order.ts";
import type { Section } from "../../harness/section.ts";
import type { Cell, Table } from "../../harness/table.ts";
import type { Options } from "../options.ts";
import { type Participants, participants } from "../participants.ts";
import type { PeerHost, PeerName } from "../peer.ts";
import { openSites, type Site } from "../site.ts";

const announcerNames = ["lmserv", "bonjour-service", "ciao", "python-zeroconf", "avahi"] as const;
const browserNames = ["lmserv", "bonjour-service", "dnssd", "python-zeroconf", "avahi"] as const;
type BrowserName = (typeof browserNames)[number];

/** While one LAN rests, others are measured. */
const siteCount = 3;
/** A record that was multicast may not be so again for a second (RFC 6762 section 6). */
const restMs = 1_300;
/** Announcements are repeated for up to 7 s; a browser that hears one did not have to ask. */
const announcedMs = 8_000;
/** A browser that asks again does so after 1 s, and may be answered 120 ms later. */
const missedMs = 1_500;

/** Outcome of one browse. */
interface Outcome {
  readonly browser: PeerName;
  readonly openMs: number;
  /** By announcer, from the browse call on; null for those that were not resolved in time. */
  readonly resolvedMs: ReadonlyMap<PeerName, number | null>;
}

export const browse: Section<Options> = {
  name: "browse",
  measures: "browse call -> resolved, every browser against every announcer",
  quick: true,
  run: ({ repeat }) => measure("Browse call -> resolved, ms", browserNames, repeat, async () => {}),
};

/** The same for those that share port 5353 with an avahi-daemon on their host. */
export const beside: Section<Options> = {
  name: "beside",
  measures: "browse call -> resolved, beside another mDNS stack on the browser's host",
  quick: false,
  run: ({ repeat }) =>
    measure(
      "Browse call -> resolved beside avahi-daemon on the same host, ms",
      ["lmserv", "bonjour-service", "dnssd", "python-zeroconf"],
      repeat,
      ({ host }) => startAvahi(host),
    ),
};

/** @param equip - Makes a browser's host ready. */
async function measure(
  title: string,
  browserNames: readonly BrowserName[],
  repeat: number,
  equip: (host: PeerHost) => Promise<unknown>,
): Promise<readonly Table[]> {
  const announcers = await participants(announcerNames);
  const browsers = await participants(browserNames);
  const plan = [...announcers.present, ...browsers.present];
  await using sites = await openSites(Array.from({ length: siteCount }, () => plan));
  const browsing = sites.all.flatMap(({ hosts }) => hosts.slice(announcers.present.length));
  await Promise.all(browsing.map(equip));
  const booths = await Promise.all(sites.all.map((site) => openBooth(site, announcers.present)));
  await delay(announcedMs);
  const outcomes: Outcome[] = [];
  for (const [turn, { item: browser }] of rounds(browsers.present, repeat).entries()) {
    const booth = booths[turn % siteCount];
    if (booth) outcomes.push(await booth(browser));
  }
  return [tableOf(title, browserNames, outcomes, announcers, browsers)];
}

/** Browses once with the peer given, on a LAN that has rested. */
type Booth = (browser: PeerName) => Promise<Outcome>;

async function openBooth({ hosts }: Site, announcers: readonly PeerName[]): Promise<Booth> {
  const announcing = hosts.slice(0, announcers.length);
  const browsing = new Map(hosts.slice(announcers.length).map((host) => [host.peer, host]));
  await Promise.all(announcing.map(startAnnouncer));
  let resting = Promise.resolve();
  return async (peer) => {
    const host = browsing.get(peer);
    if (!host) throw new RangeError(`there is no host with ${peer}`);
    await using browser = await host.start();
    await resting;
    browser.tell({ command: "browse" });
    const arrivals = announcers.map((announcer) =>
      browser.event("up", { info: infoOf(announcer), timeoutMs: missedMs }),
    );
    const call = await browser.event("browsing");
    const seen = await Promise.all(arrivals);
    resting = delay(restMs);
    const startMs = call?.tMs ?? Number.NaN;
    const resolved = announcers.map((name, index) => [name, msSince(startMs, seen[index]?.tMs)] as const);
    return { browser: peer, openMs: call?.openMs ?? Number.NaN, resolvedMs: new Map(resolved) };
  };
}

async function startAnnouncer({ peer, start }: PeerHost): Promise<void> {
  const announcer = await start();
  announcer.tell({ command: "announce", info: infoOf(peer), port: 8_000, chosen: false });
  if (!(await announcer.event("announced"))) throw new Error(`${peer} did not announce`);
}

function infoOf(announcer: PeerName): string {
  return `by-${announcer}`;
}

function msSince(startMs: number, endMs: number | undefined): number | null {
  return endMs === undefined ? null : endMs - startMs;
}

function tableOf(
  title: string,
  browserNames: readonly BrowserName[],
  outcomes: readonly Outcome[],
  announcers: Participants,
  browsers: Participants,
): Table {
  const of = (browser: PeerName): Outcome[] => outcomes.filter((outcome) => outcome.browser === browser);
  const resolved = (browser: PeerName, announcer: PeerName): Figure =>
    figure(
      "ms",
      of(browser).map(({ resolvedMs }) => resolvedMs.get(announcer) ?? null),
    );
  const row = (announcer: PeerName): Cell[] => [
    announcer,
    ...browserNames.map(
      (browser) =>
        announcers.absent.get(announcer) ?? browsers.absent.get(browser) ?? resolved(browser, announcer),
    ),
  ];
  const opening = browserNames.map(
    (browser) =>
      browsers.absent.get(browser) ??
      figure(
        "ms",
        of(browser).map(({ openMs }) => openMs),
      ),
  );
  return {
    title,
    head: ["announcer \\ browser", ...browserNames],
    rows: [...announcerNames.map(row), ["(opening, before the call)", ...opening]],
    notes: [
      "Fresh process per browse, its start excluded; all announcers on one LAN, up for more than 8 s; browsers in random order.",
      "avahi: its daemon runs and has the records cached; the start of avahi-browse is included.",
      `missed: not resolved within ${missedMs} ms.`,
    ],
  };
}
