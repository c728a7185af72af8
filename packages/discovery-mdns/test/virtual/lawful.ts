import {
  type Heard,
  headerBits,
  itemsOf,
  type Message,
  nameInData,
  type Received,
} from "@lmserv/test-netlab/raw-peer";
import type { VirtualHost } from "./host.ts";
import type { VirtualPeer } from "./peer.ts";

/** Faults of the packets that a host sent, checked in every test. */
export function faultsOf(peer: VirtualPeer, host: VirtualHost): readonly string[] {
  return [...host.sources].flatMap((source) => {
    const mangled = peer
      .unreadable(source)
      .map((bytes) => `cannot be read: ${Buffer.from(bytes).toString("hex")}`);
    const packets = peer.heard(source);
    const faults = packets.flatMap((heard, index) => {
      const recently = packets.slice(0, index).filter(({ tMs }) => heard.tMs - tMs < restMs);
      return faultsIn(heard, recently).map((fault) => describe(fault, heard));
    });
    return [...mangled, ...faults];
  });
}

/** Records rest for 1 s, and we add 10 ms; meanwhile they may be missing. */
const restMs = 1_010;

function describe(fault: string, { message, dst, dport, payload }: Heard): string {
  const kind = message.response ? "response" : "query";
  return `${kind} to ${dst} port ${dport}: ${fault} (${payload.toString("hex")})`;
}

/** Ethernet's payload less the headers of IP and UDP. */
const maxPayloadBytes = { IPv4: 1_500 - 28, IPv6: 1_500 - 48 } as const;
const legalHostName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?\.local$/i;
const uniqueTypes = new Set(["A", "AAAA", "SRV", "TXT", "NSEC"]);
const hostTypes = new Set(["A", "AAAA", "SRV", "NSEC"]);

/** @param recently - Packets of the host in the second before. */
function faultsIn(heard: Heard, recently: readonly Heard[]): string[] {
  const isResponse = heard.message.response;
  return [
    ...envelopeFaults(heard),
    ...(isResponse ? [...responseFaults(heard), ...missing(heard, recently)] : queryFaults(heard)),
  ];
}

function envelopeFaults({ sport, dst, dport, payload }: Heard): string[] {
  const max = maxPayloadBytes[dst.includes(":") ? "IPv6" : "IPv4"];
  const isGroup = dst === "224.0.0.251" || dst === "ff02::fb";
  return [
    ...(sport === 5353 ? [] : [`leaves from port ${sport}`]),
    ...(isGroup && dport !== 5353 ? ["goes to the group on another port"] : []),
    ...(payload.length > max ? [`takes ${payload.length} bytes`] : []),
  ];
}

function queryFaults({ message }: Heard): string[] {
  const { id, flags, questions, answers, authorities, additionals, truncated } = message;
  const knownOnly = questions.length === 0;
  return [
    ...(id === 0 ? [] : [`has ID ${id}`]),
    ...((flags & ~headerBits.truncated) === 0 ? [] : [`has flags ${flags.toString(16)}`]),
    ...(knownOnly && answers.length === 0 ? ["asks nothing"] : []),
    ...(truncated && answers.length === 0 && authorities.length === 0 ? ["is truncated for no reason"] : []),
    ...(additionals.length === 0 ? [] : ["has additional records"]),
    ...[...answers, ...authorities].filter(({ flush }) => flush).map(({ type }) => `${type} has a flush bit`),
    ...repeated([...answers, ...authorities]),
  ];
}

function responseFaults(heard: Heard): string[] {
  const { id, flags, questions, answers, authorities } = heard.message;
  const isLegacy = heard.dport !== 5353;
  const records = recordsOf(heard.message);
  return [
    ...(id === 0 || isLegacy ? [] : [`has ID ${id}`]),
    ...(flags === headerBits.authoritative ? [] : [`has flags ${flags.toString(16)}`]),
    ...(questions.length === 0 || isLegacy ? [] : ["has questions"]),
    ...(answers.length === 0 ? ["answers nothing"] : []),
    ...(authorities.length === 0 ? [] : ["has authority records"]),
    ...repeated(records),
    ...records.flatMap((record) => recordFaults(record, isLegacy)),
    ...targetFaults(heard, isLegacy),
  ];
}

function recordFaults({ name, type, ttlS, flush }: Received, isLegacy: boolean): string[] {
  const usual = hostTypes.has(type) ? 120 : 4_500;
  const isTtlFine = isLegacy ? ttlS <= 10 : ttlS === usual || ttlS === 0;
  const isAddress = type === "A" || type === "AAAA";
  return [
    ...(isTtlFine ? [] : [`${type} has TTL ${ttlS}`]),
    ...(flush === (uniqueTypes.has(type) && !isLegacy) ? [] : [`${type} has flush ${flush}`]),
    ...(isAddress && !legalHostName.test(name) ? [`${name} is no host name`] : []),
  ];
}

function repeated(records: readonly Received[]): string[] {
  const keys = records.map((record) =>
    JSON.stringify({ ...record, ttlS: 0, name: record.name.toLowerCase() }),
  );
  return keys.filter((key, index) => keys.indexOf(key) !== index).map((key) => `repeats ${key}`);
}

/**
 * Additional records of RFC 6763 section 12 that are missing: neither in the packet nor sent just before.
 *
 * A packet that is one of several may lack them.
 */
function missing({ message, payload }: Heard, recently: readonly Heard[]): string[] {
  const records = recordsOf(message);
  if (payload.length > 1_000 || records.some(({ ttlS }) => ttlS === 0)) return [];
  const known = [...records, ...recently.flatMap((before) => recordsOf(before.message))];
  const has = (type: string, name: string | undefined): boolean =>
    known.some((record) => record.type === type && record.name === name);
  return message.answers.flatMap(({ name, type, target }) => {
    if (type === "SRV") return has("A", target) || has("AAAA", target) ? [] : ["SRV without an address"];
    if (type !== "PTR" || name === "_services._dns-sd._udp.local") return [];
    return ["SRV", "TXT"].filter((one) => !has(one, target)).map((one) => `PTR without ${one}`);
  });
}

function recordsOf({ answers, additionals }: Message): readonly Received[] {
  return [...answers, ...additionals];
}

/** SRV targets are compressed except towards legacy queriers (RFC 6762 section 18.14). */
function targetFaults({ payload }: Heard, isLegacy: boolean): string[] {
  const targets = itemsOf(payload).filter(({ type }) => type === 33);
  const isCompressed = targets.some((item) => nameInData(payload, item)?.compressed);
  return isLegacy && isCompressed ? ["has a compressed SRV target"] : [];
}
