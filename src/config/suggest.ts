import { distance } from 'fastest-levenshtein'

/** The known word that was probably meant, or undefined if none is near. */
function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const lower = word.toLowerCase()
  let best: string | undefined
  let least = Infinity
  for (const candidate of known) {
    const steps = distance(lower, candidate.toLowerCase())
    if (steps < least) {
      least = steps
      best = candidate
    }
  }
  // A third of the word may be wrong, one letter in any word of three.
  return best !== undefined && least <= Math.max(1, Math.floor(Math.max(word.length, best.length) / 3)) ? best : undefined
}

/** ` Did you mean "watch"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = suggest(word, known)
  return meant === undefined ? '' : ` Did you mean "${meant}"?`
}
