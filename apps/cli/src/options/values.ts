import { visibleText } from "@lmserv/discovery-core";
import { isPath, isPort, maxInfoBytes } from "@lmserv/discovery-core/transport";
import type { ListedInterfaces } from "@lmserv/discovery-network";
import { isKnownInterface, listInterfaces } from "./interfaces.ts";

// Parsers of options' values; each throws a RangeError that says what is allowed.

/** Bound on a count: a registry holds no more nodes, so that waiting for more would never end. */
const maxCount = 10_000;
/** Bound of the transport. */
const maxPorts = 64;
/** Bound of a DNS label (RFC 1035 section 2.3.4), which an instance name is. */
const maxNameBytes = 63;
/** Bound of the text that fills a TXT string after `path=` (RFC 6763 section 6.1). */
const maxPathBytes = 250;

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && isPort(port)) return port;
  throw new RangeError("A port is a whole number from 1 to 65535.");
}

/** Parses comma-separated ports; more on every host would look like an attack. */
export function parsePorts(text: string): readonly number[] {
  const ports = text.split(",").map(parsePort);
  if (new Set(ports).size < ports.length) throw new RangeError("A port is given twice.");
  if (ports.length > maxPorts)
    throw new RangeError(`There are ${ports.length} ports; at most ${maxPorts} are allowed.`);
  return ports;
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= maxCount) return count;
  throw new RangeError(`A number of nodes is a whole number from 1 to ${maxCount}.`);
}

export function parseInfo(text: string): string {
  return parseText(text, 0, maxInfoBytes);
}

export function parseName(text: string): string {
  return parseText(text, 1, maxNameBytes);
}

/** Parses the name of a model or of a kind of server. */
export function parseWord(text: string): string {
  return parseText(text, 1, maxInfoBytes);
}

function parseText(text: string, leastBytes: number, mostBytes: number): string {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes < leastBytes || bytes > mostBytes) {
    throw new RangeError(`It takes ${bytes} bytes of UTF-8; from ${leastBytes} to ${mostBytes} are allowed.`);
  }
  if (visibleText(text) !== text)
    throw new RangeError("It holds control characters, or others that are not seen, which are not allowed.");
  return text;
}

export function parsePath(text: string): string {
  if (isPath(text)) return parseText(text, 1, maxPathBytes);
  throw new RangeError('A path starts with "/" and holds neither spaces nor control characters.');
}

export function parseInterface(text: string, interfaces: ListedInterfaces): string {
  if (isKnownInterface(text, interfaces)) return text;
  throw new RangeError(`It is none of this machine's interfaces: ${listInterfaces(interfaces)}.`);
}
