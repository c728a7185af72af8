import type { Clock } from "@lmserv/discovery-core/transport";
import { decode } from "../dns/decode.ts";
import { encode, maxPacketBytes } from "../dns/encode.ts";
import { type ResourceRecord, response } from "../dns/record.ts";
import type { LinkInterface } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";
import { serviceType } from "../service.ts";
import { Browser } from "./browser.ts";
import { startDelayMs } from "./schedule.ts";

/** Documentation addresses without hosts (RFC 5737). */
const [here, there] = ["192.0.2.1", "192.0.2.2"];
const nowhere: LinkInterface = {
  name: "nowhere",
  index: 0,
  kind: "lan",
  loopback: false,
  addresses: [{ address: here, family: "IPv4", prefixLength: 24 }],
  siblings: [],
};
const instance = `nobody.${serviceType}`;
const head = { name: instance, ttlS: 120, flush: true };
const answers: readonly ResourceRecord[] = [
  { name: serviceType, ttlS: 120, flush: false, type: "PTR", target: instance },
  { ...head, type: "SRV", priority: 0, weight: 0, port: 1, target: "nobody.local" },
  { ...head, type: "TXT", strings: [Buffer.from("info=nobody")] },
  { ...head, name: "nobody.local", type: "A", address: there },
];

/**
 * Browses once without a network, so that a caller does not wait for code to be compiled.
 *
 * Compiling a function takes ten times as long as a run of it.
 */
export function warmUp(): void {
  let nowMs = 0;
  let ask = (): void => {};
  const clock: Clock = {
    now: () => nowMs,
    wall: () => nowMs,
    schedule(delayMs, callback) {
      if (delayMs <= startDelayMs.to) ask = callback;
      return () => {};
    },
  };
  const link: Link = {
    interface: nowhere,
    families: ["IPv4"],
    missing: [],
    reopen: () => Promise.resolve([]),
    multicast() {},
    send() {},
    invite: () => Promise.resolve(false),
    keepOut() {},
    close: () => Promise.resolve(),
  };
  const browser = new Browser({
    via: "",
    clock,
    random: () => 0,
    report() {},
    listName: serviceType,
    maxInstances: 1,
    isChosen: true,
    isOwn: () => false,
  });
  const stop = browser.subscribe(60_000, { push() {}, fail() {}, end() {} });
  const querier = browser.join(link, null);
  nowMs = startDelayMs.to;
  ask();
  for (const packet of encode(response({ answers }), { maxBytes: maxPacketBytes })) {
    const message = decode(packet)?.message;
    if (message) querier.take(message, there);
  }
  stop();
}
