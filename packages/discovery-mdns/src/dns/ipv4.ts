const octetPattern = /^(0|[1-9]\d{0,2})$/;

/** The 4 bytes of a dotted address, or null for text that is none. */
export function readIPv4(address: string): Uint8Array | null {
  const octets = address.split(".");
  const isAddress =
    octets.length === 4 && octets.every((octet) => octetPattern.test(octet) && Number(octet) < 256);
  return isAddress ? Uint8Array.from(octets, Number) : null;
}
