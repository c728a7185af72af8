/** Excess bytes of an oversized frame. */
const oversizedBytes = 100_000;

/**
 * Hostile frames made of valid ones: cut short, with flipped bits, glued together, oversized, or mere noise.
 *
 * @param frames - Valid frames of the medium, at least one.
 * @param random - Uniform in [0, 1); a seeded one makes a failure repeatable.
 * @param rounds - Count of each sort for each frame.
 */
export function* hostileFrames(
  frames: readonly Uint8Array[],
  random: () => number,
  rounds: number = 25,
): Generator<Uint8Array> {
  const below = (limit: number): number => Math.floor(random() * limit);
  const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => below(256));
  yield new Uint8Array(0);
  yield new Uint8Array(oversizedBytes);
  for (const frame of frames) {
    yield concat([frame, frame]);
    yield concat([frame, noise(oversizedBytes)]);
    for (let round = 0; round < rounds; round += 1) {
      yield frame.slice(0, below(frame.length));
      yield flipBits(frame, 1 + below(8), below);
      yield noise(1 + below(frame.length * 2));
    }
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function flipBits(frame: Uint8Array, count: number, below: (limit: number) => number): Uint8Array {
  const flipped = frame.slice();
  for (let flip = 0; flip < count; flip += 1) {
    const index = below(flipped.length);
    flipped[index] = (flipped[index] ?? 0) ^ (1 << below(8));
  }
  return flipped;
}
