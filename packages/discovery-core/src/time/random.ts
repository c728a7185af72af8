/** Uniform in [0, 1), from the system's entropy, the source of identities. */
export function systemRandom(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word / 2 ** 32;
}

/** `bits` random bits (a multiple of 8) in lower-case hexadecimal. */
export function randomHex(random: () => number, bits: number): string {
  let hex = "";
  for (let made = 0; made < bits; made += 8) {
    hex += Math.floor(random() * 256)
      .toString(16)
      .padStart(2, "0");
  }
  return hex;
}
