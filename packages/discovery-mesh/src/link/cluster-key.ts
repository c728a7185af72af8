import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { utf8Text } from "@lmserv/discovery-core/transport";

/** What all members of a cluster share. As an object of the runtime it is not printed by accident. */
export type ClusterKey = KeyObject;

/** As many bytes as the HMAC's digest: nobody guesses it, so that a proof may be shown to anybody. */
const minKeyBytes = 32;
/** While one key replaces another there are two; a slow roll-out over several is imaginable. */
const maxKeys = 8;

/** A new key as the text of a key file: 32 random bytes in base64url. */
export function generateKey(): string {
  return randomBytes(minKeyBytes).toString("base64url");
}

/**
 * Reads a key file: one key a line in base64url, blank lines and those that begin with `#` aside.
 *
 * The first key is the one that this member proves, any is accepted of others. To replace a key, add the new
 * one as the second everywhere, then move it to the front everywhere, then take the old one out.
 *
 * @throws {RangeError} when it is not UTF-8, when a line is no key, or when there is none or more than eight; never with the key in it.
 */
export function parseKeys(text: string): readonly ClusterKey[] {
  const keys = readable(text)
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const content = line.trim();
      return content === "" || content.startsWith("#") ? [] : [parseKey(content, index + 1)];
    });
  if (keys.length === 0)
    throw new RangeError("the key file has no key; a line of it is 32 bytes in base64url");
  if (keys.length > maxKeys) {
    throw new RangeError(`the key file has ${keys.length} keys, but ${maxKeys} are allowed`);
  }
  return keys;
}

function readable(text: string): string {
  try {
    return utf8Text(text);
  } catch (error) {
    throw new RangeError(`the key file ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** The key of a cluster that has none: everybody has it, so it admits everybody on this machine. */
export const openKey: ClusterKey = createSecretKey(Buffer.from("lmserv-mesh/1: no key, on loopback only"));

function parseKey(content: string, line: number): ClusterKey {
  if (!/^[A-Za-z0-9_-]+$/.test(content)) {
    throw new RangeError(`line ${line} of the key file is not base64url (A-Z, a-z, 0-9, - and _)`);
  }
  const bytes = Buffer.from(content, "base64url");
  if (bytes.length < minKeyBytes) {
    throw new RangeError(
      `line ${line} of the key file is a key of ${bytes.length} bytes, but at least ${minKeyBytes} are needed`,
    );
  }
  return createSecretKey(bytes);
}
