import { setTimeout as delay } from "node:timers/promises";
import { type Figure, figure } from "../../harness/figure.ts";
import { shuffled } from "../../harness/order.ts";
import type { Table } from "../../harness/table.ts";
import { participants } from "../participants.ts";
import type { PeerHost, PeerName } from "../peer.ts";
import type { PeerProcess } from "../peer-process.ts";
import { openSite } from "../site.ts";

const announcerNames = ["lmserv", "bonjour-service", "ciao", "dnssd", "python-zeroconf", "avahi"] as const;
const browserNames = ["lmserv", "bonjour-service", "dnssd", "python-zeroconf", "avahi"] as const;

/** Time in which a browser must list the announced service. */
const listedMs = 3_000;
const missedMs = 5_000;
const staggerMs = 100;

interface Outcome {
  readonly announcer: PeerName;
  readonly browser: PeerName;
  readonly downMs: number | null;
}

/** A program of a peer. */
interface Actor {
  readonly peer: PeerName;
  readonly program: PeerProcess;
}

export async function measureGoodbyes(times: number): Promise<Table> {
  const announcers = await participants(announcerNames);
  const browsers = await participants(browserNames);
  await using site = await openSite([...browsers.present, ...announcers.present]);
  const browsing = await Promise.all(site.hosts.slice(0, browsers.present.length).map(startActor));
  for (const { program } of browsing) program.tell({ command: "browse" });
  const outcomes: Outcome[] = [];
  for (let round = 0; round < times; round++) {
    outcomes.push(...(await leaveAll(site.hosts.slice(browsing.length), browsing, round)));
  }
  const cell = (announcer: PeerName, browser: PeerName): Figure | string =>
    announcers.absent.get(announcer) ??
    browsers.absent.get(browser) ??
    figure(
      "ms",
      outcomes
        .filter((one) => one.announcer === announcer && one.browser === browser)
        .map(({ downMs }) => downMs),
    );
  return {
    title: "Goodbye call -> down, ms",
    head: ["announcer \\ browser", ...browserNames],
    rows: announcerNames.map((announcer) => [
      announcer,
      ...browserNames.map((browser) => cell(announcer, browser)),
    ]),
    notes: [
      "RFC 6762 section 10.1 keeps a record that said goodbye for 1 s, in case another owner speaks up.",
      "Only services that the browser had listed count.",
    ],
  };
}

async function startActor({ peer, start }: PeerHost): Promise<Actor> {
  return { peer, program: await start() };
}

/** Announces with every peer, then takes the services down one after the other. */
async function leaveAll(
  hosts: readonly PeerHost[],
  browsing: readonly Actor[],
  round: number,
): Promise<Outcome[]> {
  const announcing = await Promise.all(hosts.map(startActor));
  const infoOf = (peer: PeerName): string => `${peer}-${round}`;
  for (const { peer, program } of announcing) {
    program.tell({ command: "announce", info: infoOf(peer), port: 8_000, chosen: false });
  }
  await Promise.all(announcing.map(({ program }) => program.event("announced", { timeoutMs: missedMs })));
  const leaving = shuffled(announcing).map((actor, turn) =>
    leaveOne(actor, browsing, infoOf(actor.peer), turn * staggerMs),
  );
  const outcomes = (await Promise.all(leaving)).flat();
  await Promise.all(announcing.map(({ program }) => program[Symbol.asyncDispose]()));
  return outcomes;
}

async function leaveOne(
  { peer, program }: Actor,
  browsing: readonly Actor[],
  info: string,
  waitMs: number,
): Promise<Outcome[]> {
  const listed = await Promise.all(
    browsing.map(async (browser) => ({
      ...browser,
      up: await browser.program.event("up", { info, timeoutMs: listedMs }),
    })),
  );
  await delay(waitMs);
  program.tell({ command: "goodbye" });
  const call = await program.event("leaving");
  const watching = listed.filter(({ up }) => up !== null);
  return await Promise.all(
    watching.map(async (browser): Promise<Outcome> => {
      const calledMs = call?.tMs ?? Number.NaN;
      const down = await browser.program.event("down", { info, sinceMs: calledMs, timeoutMs: missedMs });
      return { announcer: peer, browser: browser.peer, downMs: down && down.tMs - calledMs };
    }),
  );
}
