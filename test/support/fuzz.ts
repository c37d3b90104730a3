/** Damaged copies of real files, the same for the same seed: bytes changed, bits flipped, ends cut. */
export interface Damage {
  readonly bytes: Uint8Array;
  readonly seed: number;
}

/** A linear congruential generator: numbers below `limit`. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const interesting = [0, 1, 0x7f, 0x80, 0xff];

/** One damaged copy. */
export function damage(original: Uint8Array, random: (limit: number) => number): Uint8Array {
  const mode = random(4);
  if (mode === 0) return original.slice(0, random(original.length));
  const bytes = original.slice();
  const changes = 1 + random(mode === 1 ? 4 : 40);
  const reach = mode === 3 ? Math.min(bytes.length, 512) : bytes.length;
  for (let i = 0; i < changes; i++) {
    const at = random(reach);
    const value = bytes[at] ?? 0;
    const choice = random(3);
    if (choice === 0) bytes[at] = interesting[random(interesting.length)] ?? 0;
    else if (choice === 1) bytes[at] = value ^ (1 << random(8));
    else bytes[at] = random(256);
  }
  return bytes;
}
