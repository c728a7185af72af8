import { VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer } from "dns-packet";
import { beforeEach, expect, test } from "vitest";
import { collect, openEndpoint, Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";

let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

/** Has a host say after `atMs` that it serves, as a whole or with its pointer alone. */
function say(name: string, atMs: number, isWhole: boolean): void {
  const instance = `${name}.${type}`;
  const address = `10.0.0.${name.length + 1}`;
  const pointer: Answer = { type: "PTR", name: type, ttl: 4500, data: instance };
  const rest: Answer[] = [
    { type: "SRV", name: instance, ttl: 120, flush: true, data: { port: 8000, target: `${name}.local` } },
    { type: "TXT", name: instance, ttl: 4500, flush: true, data: ["info=box"] },
    { type: "A", name: `${name}.local`, ttl: 120, flush: true, data: address },
  ];
  const additionals = isWhole ? rest : [];
  clock.schedule(atMs, () =>
    segment.inject({ type: "response", flags: 0x400, answers: [pointer], additionals }, address),
  );
}

test.each([
  ["two questions were answered", [["box", 100, true]], 1_200],
  ["the second one brought nothing, as on a silent LAN", [], 1_200],
  [
    "a third one was answered, where the second brought news",
    [
      ["box", 100, true],
      ["later", 1_100, true],
    ],
    3_200,
  ],
  [
    "a third one was answered, where a node is not known as a whole",
    [
      ["box", 100, true],
      ["half", 100, false],
    ],
    3_200,
  ],
] as const)("a browse settles when %s", async (_, hosts, expectedMs) => {
  const { session } = await openEndpoint(segment.machine("10.0.0.1"), clock);
  const { seen } = collect(session, clock);
  for (const [name, atMs, isWhole] of hosts) say(name, atMs, isWhole);
  await clock.advance(10_000);
  expect(seen.filter(({ kind }) => kind === "settled").map(({ atMs }) => atMs)).toEqual([expectedMs]);
});
