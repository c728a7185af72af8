import { setTimeout as delay } from "node:timers/promises";
import { type PacketTap, packetTap } from "@lmserv/test-netlab";
import { figure } from "../../harness/figure.ts";
import { shuffled } from "../../harness/order.ts";
import type { Section } from "../../harness/section.ts";
import type { Cell, Table } from "../../harness/table.ts";
import type { Options } from "../options.ts";
import { participants } from "../participants.ts";
import type { PeerHost, PeerName } from "../peer.ts";
import type { PeerProcess } from "../peer-process.ts";
import { openSite } from "../site.ts";
import { locates } from "../wire.ts";

/** A way to announce. */
interface Entrant {
  readonly title: string;
  readonly peer: PeerName;
  readonly chosen: boolean;
}

const entrants: readonly Entrant[] = [
  { title: "lmserv, default name", peer: "lmserv", chosen: false },
  { title: "lmserv, chosen name", peer: "lmserv", chosen: true },
  { title: "bonjour-service", peer: "bonjour-service", chosen: true },
  { title: "ciao", peer: "ciao", chosen: true },
  { title: "dnssd", peer: "dnssd", chosen: true },
  { title: "python-zeroconf", peer: "python-zeroconf", chosen: true },
  { title: "avahi-publish", peer: "avahi", chosen: true },
];

/** Keeps the first packets of one out of the others' way. */
const staggerMs = 100;
const missedMs = 5_000;
/** All goodbyes have left by then. */
const goodbyeMs = 300;

/** From the announce call on, in ms; null for what did not come in time. */
interface Outcome {
  readonly title: string;
  readonly wireMs: number | null;
  readonly upMs: number | null;
  readonly announcedMs: number | null;
}

/** Observer of the announcements. */
interface Observer {
  readonly tap: PacketTap;
  readonly browser: PeerProcess;
}

export const announce: Section<Options> = {
  name: "announce",
  measures: "announce call -> visible at a running browser",
  quick: true,
  async run({ repeat }) {
    const peers = await participants(entrants.map(({ peer }) => peer));
    const present = entrants.filter(({ peer }) => !peers.absent.has(peer));
    await using site = await openSite(["lmserv", ...present.map(({ peer }) => peer)]);
    const [stand, ...hosts] = site.hosts;
    if (!stand) throw new RangeError("the LAN has no hosts");
    const observer = { tap: await packetTap(stand.host), browser: await stand.start() };
    observer.browser.tell({ command: "browse" });
    const outcomes: Outcome[] = [];
    for (let round = 0; round < repeat; round++) {
      outcomes.push(...(await announceAll(present, hosts, observer, round)));
    }
    return [tableOf(outcomes, peers.absent)];
  },
};

async function announceAll(
  present: readonly Entrant[],
  hosts: readonly PeerHost[],
  observer: Observer,
  round: number,
): Promise<Outcome[]> {
  const programs = await Promise.all(hosts.map((host) => host.start()));
  await delay(staggerMs);
  const turns = shuffled(present.map((entrant, index) => ({ entrant, index, program: programs[index] })));
  const outcomes = await Promise.all(
    turns.flatMap(({ entrant, index, program }, turn) =>
      program ? [announceOne(entrant, program, observer, infoOf(index, round), turn * staggerMs)] : [],
    ),
  );
  for (const program of programs) program.tell({ command: "goodbye" });
  await delay(goodbyeMs);
  await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
  return outcomes;
}

/** Of one length, so that none is the beginning of another. */
function infoOf(index: number, round: number): string {
  return `e${index}r${String(round).padStart(5, "0")}`;
}

async function announceOne(
  { title, chosen }: Entrant,
  program: PeerProcess,
  { tap, browser }: Observer,
  info: string,
  waitMs: number,
): Promise<Outcome> {
  await delay(waitMs);
  const from = tap.all().length;
  const search = { timeoutMs: missedMs, from };
  const onWire = tap.find((packet) => locates(packet, info), search).catch(() => null);
  const upAt = browser.event("up", { info, timeoutMs: missedMs });
  const announcedAt = program.event("announced", { timeoutMs: missedMs });
  program.tell({ command: "announce", info, port: 8_000, chosen });
  const call = await program.event("announcing");
  const [packet, up, announced] = await Promise.all([onWire, upAt, announcedAt]);
  const since = (at: { readonly tMs: number } | null): number | null => at && call && at.tMs - call.tMs;
  return { title, wireMs: since(packet), upMs: since(up), announcedMs: since(announced) };
}

function tableOf(outcomes: readonly Outcome[], absent: ReadonlyMap<PeerName, string>): Table {
  const row = ({ title, peer }: Entrant): Cell[] => {
    const reason = absent.get(peer);
    if (reason !== undefined) return [title, reason, reason, reason];
    const own = outcomes.filter((outcome) => outcome.title === title);
    return [
      title,
      figure(
        "ms",
        own.map(({ wireMs }) => wireMs),
      ),
      figure(
        "ms",
        own.map(({ upMs }) => upMs),
      ),
      figure(
        "ms",
        own.map(({ announcedMs }) => announcedMs),
      ),
    ];
  };
  return {
    title: "Announce call -> visible, ms",
    head: [
      "announcer",
      "first response with its SRV record",
      "up at a running lmserv browser",
      "call returned",
    ],
    rows: entrants.map(row),
    notes: [
      "The first column is a packet tap on the browser's host, the second that browser's event; the same for all.",
      "Fresh process per announcement, library opened before the call. avahi: the start of avahi-publish is included.",
      `missed: not seen within ${missedMs} ms.`,
    ],
  };
}
