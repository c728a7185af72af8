import { setTimeout as delay } from "node:timers/promises";
import { type Figure, figure } from "../../harness/figure.ts";
import type { Table } from "../../harness/table.ts";
import { participants } from "../participants.ts";
import type { PeerName } from "../peer.ts";
import type { PeerProcess } from "../peer-process.ts";
import { openSites, type Site } from "../site.ts";

const browserNames = ["lmserv", "dnssd", "bonjour-service", "python-zeroconf", "avahi"] as const;

/** On each LAN as many services crash. */
const crashes = 10;
/** All announcements have been repeated by then. */
const settledMs = 30_000;
/** One crash in each, at random, so that they are spread over the 120 s that an SRV record lives. */
const windowMs = 12_000;
const missedMs = 150_000;

/** Kills announcers of ours, a LAN per browser, so that what one asks does not serve the others. */
export async function measureCrashes(): Promise<Table> {
  const { present, absent } = await participants(browserNames);
  const plan = (browser: PeerName): PeerName[] => [browser, ...Array<PeerName>(crashes).fill("lmserv")];
  await using sites = await openSites([...present, "lmserv" as const].map(plan));
  const figures = await Promise.all(sites.all.map((site, index) => crashAll(site, index === present.length)));
  const found = new Map(present.map((peer, index) => [peer, figures[index]]));
  return {
    title: "SIGKILL -> down, ms",
    head: ["browser", "on its own"],
    rows: [
      ...browserNames.map((peer) => [peer, absent.get(peer) ?? found.get(peer) ?? "-"]),
      ["lmserv, reconfirm called at the kill", figures[present.length] ?? "-"],
    ],
    notes: [
      `lmserv announcers are killed at random times; missed: still listed ${missedMs / 1_000} s later.`,
    ],
  };
}

async function crashAll({ hosts }: Site, reconfirming: boolean): Promise<Figure> {
  const programs = await Promise.all(hosts.map((host) => host.start()));
  const [browser, ...announcers] = programs;
  if (!browser) throw new RangeError("the LAN has no hosts");
  browser.tell({ command: "browse" });
  for (const [index, program] of announcers.entries()) {
    program.tell({ command: "announce", info: infoOf(index), port: 8_000, chosen: false });
  }
  const listed = await Promise.all(
    announcers.map((_, index) => browser.event("up", { info: infoOf(index) })),
  );
  if (listed.includes(null)) throw new Error(`${hosts[0]?.peer} does not list what is announced`);
  await delay(settledMs);
  const outcomes = announcers.map(async (program, index) => {
    // At any moment of the life of a record, which is what is measured.
    await delay((index + Math.random()) * windowMs);
    return crashOne(browser, program, infoOf(index), reconfirming);
  });
  return figure("ms", await Promise.all(outcomes));
}

async function crashOne(
  browser: PeerProcess,
  { process: victim }: PeerProcess,
  info: string,
  reconfirming: boolean,
): Promise<number | null> {
  const killedMs = Number(process.hrtime.bigint()) / 1e6;
  victim.kill("SIGKILL");
  if (reconfirming) browser.tell({ command: "reconfirm", info });
  const down = await browser.event("down", { info, sinceMs: killedMs, timeoutMs: missedMs });
  return down && down.tMs - killedMs;
}

function infoOf(index: number): string {
  return `crash-${index}`;
}
