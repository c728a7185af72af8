import { headerBits, query, response } from "@lmserv/test-netlab/raw-peer";
import type { Answer } from "dns-packet";
import type { Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";
const pointerTtlS = 4_500;
const hostTtlS = 120;

/** Kinds of malicious or broken packets. */
export type Harm = keyof typeof packets;

/** Count of strangers in a large flood. */
export const manySources = 200;

/** Random hexadecimal digits, at most 13. */
const hex = (random: () => number, digits: number): string =>
  Math.floor(random() * 16 ** digits)
    .toString(16)
    .padStart(digits, "0");

/** Ordinary node, with an identity, a name and an endpoint of its own. */
function node(random: () => number, ...strings: readonly string[]): Answer[] {
  const unique = hex(random, 13);
  return nodeOn(`host-${unique}.local`, unique, random, strings);
}

function nodeOn(
  host: string,
  unique: string,
  random: () => number,
  strings: readonly string[] = [],
): Answer[] {
  const instance = `flood-${unique}.${type}`;
  const port = 1 + Math.floor(random() * 65_535);
  const address = `10.0.7.${1 + Math.floor(random() * 250)}`;
  const txt = ["info=flood", `id=${unique}${unique}`, ...strings];
  return [
    { type: "PTR", name: type, ttl: pointerTtlS, data: instance },
    { type: "SRV", name: instance, ttl: hostTtlS, flush: true, data: { port, target: host } },
    { type: "TXT", name: instance, ttl: hostTtlS, flush: true, data: txt },
    { type: "A", name: host, ttl: hostTtlS, flush: true, data: address },
  ];
}

const pointerTo = (name: string): Answer => ({
  type: "PTR",
  name: type,
  ttl: pointerTtlS,
  data: `${name}.${type}`,
});

function rubbish(random: () => number, most: number): Buffer {
  const words = Uint32Array.from({ length: 1 + most / 4 }, () => random() * 2 ** 32);
  return Buffer.from(words.buffer, 0, Math.floor(random() * most));
}

const packets = {
  nodes: (random: () => number) => response({ answers: node(random) }),
  "nodes of one host": (random: () => number) =>
    response({ answers: nodeOn("host.local", hex(random, 13), random) }),
  "fat nodes": (random: () => number) => {
    const keys = Array.from({ length: 2_000 }, (_, index) => index.toString(16).padStart(3, "0"));
    return response({ answers: node(random, ...keys) });
  },
  pointers: (random: () => number) => response({ answers: [pointerTo(hex(random, 13))] }),
  garbage: (random: () => number) => rubbish(random, 1_400),
  "half garbage": (random: () => number) => {
    const header = Buffer.alloc(12);
    if (random() < 0.5) header.writeUInt16BE(0x8400, 2);
    for (let at = 4; at < 12; at += 2) header.writeUInt16BE(Math.floor(random() * 4), at);
    return Buffer.concat([header, rubbish(random, 1_000)]);
  },
  questions: () => query({ questions: [{ name: type, type: "PTR" }] }),
  "questions for direct answers": () => query({ questions: [{ name: type, type: "PTR", unicast: true }] }),
  "questions without an end": (random: () => number) =>
    query({
      flags: headerBits.truncated,
      questions: [{ name: type, type: "PTR" }],
      answers: Array.from({ length: 20 }, () => pointerTo(hex(random, 10))),
    }),
} as const satisfies Record<string, (random: () => number) => Buffer>;

export interface Flood {
  readonly harm: Harm;
  readonly count: number;
  /** Count of source addresses, at most `manySources`. */
  readonly sources: number;
  /** @default 5353; from another port, questions are those of legacy queriers */
  readonly fromPort?: number;
}

/** Puts `count` packets on the segment at once. */
export function flood(
  segment: Segment,
  random: () => number,
  { harm, count, sources, fromPort }: Flood,
): void {
  for (let number = 0; number < count; number += 1) {
    segment.inject(packets[harm](random), `10.0.0.${50 + (number % sources)}`, fromPort);
  }
}
