// Bytes that look random and are the same for the same seed, so that golden files and failing tests can be repeated.
import { createHash, randomBytes } from 'node:crypto'

/** Gives `length` bytes, other ones at each call. */
export type RandomBytes = (length: number) => Buffer

/** A deterministic source: SHA-256 of seed and counter. Not for secrets. */
export function seeded(seed: string): RandomBytes {
  let counter = 0
  return (length) => {
    const blocks: Buffer[] = []
    for (let have = 0; have < length; have += 32) {
      blocks.push(createHash('sha256').update(`${seed}:${counter}`).digest())
      counter++
    }
    return Buffer.concat(blocks).subarray(0, length)
  }
}

/** The system's randomness. */
export const systemRandom: RandomBytes = (length) => randomBytes(length)
