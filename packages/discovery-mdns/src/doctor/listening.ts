import { type DiagnosisContext, linkedAbort, sleep } from "@lmserv/discovery-core/transport";
import { encode, maxPacketBytes } from "../dns/encode.ts";
import type { Name } from "../dns/name.ts";
import { type Question, query, recordTypes } from "../dns/record.ts";
import { enumerationName, serviceType } from "../service.ts";
import type { TrialBind } from "./trial-bind.ts";

/** A question is sent twice, at the distance of RFC 6762 section 5.2; answers come within half a second. */
const askEveryMs = 1_000;

/** Asks on every interface by multicast, and listens until each one is settled. */
export async function listen(
  trials: readonly TrialBind[],
  addresses: readonly string[],
  { clock, log }: DiagnosisContext,
  signal: AbortSignal,
): Promise<void> {
  const complete = linkedAbort(signal);
  const changed = (): void => {
    if (trials.every((trial) => trial.isComplete)) complete.abort();
  };
  const packet = questionsAbout(addresses);
  for (let ask = 0; ask < 2 && !complete.signal.aborted; ask += 1) {
    log("debug", "asking every mDNS host to answer");
    for (const trial of trials) trial.send(packet, changed);
    await sleep(clock, askEveryMs, complete.signal).catch(() => {});
  }
  complete.abort();
  signal.throwIfAborted();
}

/**
 * Questions that responders can answer: existing service types, our own nodes, names of addresses.
 *
 * A responder without services knows its own address only.
 */
export function questionsAbout(addresses: readonly string[], id = 0): Uint8Array {
  const reverse = addresses.filter((address) => !address.includes(":")).map(reverseName);
  const questions = [enumerationName, serviceType, ...reverse].map(
    (name): Question => ({ name, type: recordTypes.PTR, unicast: false }),
  );
  const [packet = new Uint8Array()] = encode(query({ id, questions }), { maxBytes: maxPacketBytes });
  return packet;
}

function reverseName(address: string): Name {
  return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
}
