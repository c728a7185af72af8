import { createHash, createHmac } from "node:crypto";

export interface HardwareAddress {
  /** Six or more bytes in hexadecimal, separated by colons. */
  readonly address: string;
  /** True if it came with the hardware, and so survives a restart. */
  readonly isPermanent: boolean;
}

/** Properties that identify a machine. */
export interface MachineFacts {
  /** Addresses of uplinks, without bridges of guests, tunnels and loopback. */
  readonly addresses: readonly HardwareAddress[];
  /** Id of the installed system (machine-id(5)), or null. A copied disk has the same. */
  readonly installation: string | null;
  /** Id of the network stack until the next boot, or null if the system shows none. */
  readonly stack: string | null;
}

/** Tells if two processes run on one machine, without naming it: every part is hashed. */
export interface MachineMark {
  /** Hash of the network stack, 16 hexadecimal digits; changes with each boot. */
  readonly stack: string | null;
  /** Hashes of hardware addresses, 16 hexadecimal digits each, at most 8, sorted. */
  readonly macs: readonly string[];
  /** Hash of the installed system, 16 hexadecimal digits. */
  readonly installation: string | null;
}

/** Enough for the cards of a server; more would crowd out the rest of a record. */
export const maxMacs = 8;
/** Length of a hash: 64 bits do not collide by accident. */
const digits = 16;

/** Mark of an unknown machine, which matches no other. */
export const unknownMachine: MachineMark = { stack: null, macs: [], installation: null };

/**
 * Mark of a machine.
 *
 * Temporary addresses count only if there is no permanent one, as in containers and on some Wi-Fi cards.
 */
export function markOf({ addresses, installation, stack }: MachineFacts): MachineMark {
  const usable = addresses.flatMap(({ address, isPermanent }) => {
    const canonical = canonicalMac(address);
    return canonical === null ? [] : [{ canonical, isPermanent }];
  });
  const permanent = usable.filter(({ isPermanent }) => isPermanent);
  const chosen = (permanent.length > 0 ? permanent : usable).map(({ canonical }) => digest("mac", canonical));
  return {
    stack: stack === null ? null : digest("stack", stack),
    macs: [...new Set(chosen)].sort().slice(0, maxMacs),
    // machine-id(5) asks not to show the id itself to others.
    installation: installation === null ? null : keyed(installation),
  };
}

/**
 * True if two marks belong to one machine, also across restarts; null if they cannot tell.
 *
 * One shared card is enough, since cards come and go; a copied disk shares none.
 */
export function isSameMachine(a: MachineMark, b: MachineMark): boolean | null {
  if (a.macs.length > 0 && b.macs.length > 0) return a.macs.some((mac) => b.macs.includes(mac));
  if (a.installation === null || b.installation === null) return null;
  return a.installation === b.installation;
}

/** True if two marks belong to one network stack now, so that both share addresses; false in doubt. */
export function isSameStack(a: MachineMark, b: MachineMark): boolean {
  if (a.stack !== null && b.stack !== null) return a.stack === b.stack;
  return isSameMachine(a, b) === true;
}

/**
 * Six bytes in lower case, or null for none and for a group. InfiniBand: its GUID, as the rest is not stable.
 */
function canonicalMac(address: string): string | null {
  const bytes = address.toLowerCase().split(":");
  const own = bytes.length === 20 ? bytes.slice(12) : bytes;
  if (!own.every((byte) => /^[0-9a-f]{2}$/.test(byte)) || own.length < 6) return null;
  if (own.every((byte) => byte === "00")) return null;
  const isGroup = own.length === 6 && (Number.parseInt(own[0] ?? "", 16) & 1) === 1;
  return isGroup ? null : own.join(":");
}

function digest(kind: string, value: string): string {
  return createHash("sha256").update(`lmserv ${kind} ${value}`).digest("hex").slice(0, digits);
}

function keyed(installation: string): string {
  return createHmac("sha256", installation).update("lmserv").digest("hex").slice(0, digits);
}
