// The labels of a certificate's name that stand for more than themselves.
import { UNPARSABLE } from './name.ts'
import type { Label } from './name.ts'

/** Does this label of a certificate's name stand for other labels than itself? */
export function isWild(label: Label): boolean {
  return label.includes('*') || label === '?' || label === UNPARSABLE
}

/**
 * A test whether a label of a certificate's name may stand for a watched one: `*`, `?` and UNPARSABLE for any, `w*w` for what begins and ends so.
 * Linear in the watched label, whatever an attacker's label looks like.
 */
export function compileLabel(label: Label): (watched: string) => boolean {
  if (label === '?' || label === UNPARSABLE) return () => true
  const parts = label.split('*')
  if (parts.length === 1) return (watched) => watched === label
  const head = parts[0] ?? ''
  const tail = parts.at(-1) ?? ''
  const middle = parts.slice(1, -1).filter((part) => part !== '')
  const least = head.length + tail.length + middle.reduce((sum, part) => sum + part.length, 0)
  return (watched) => {
    if (watched.length < least || !watched.startsWith(head) || !watched.endsWith(tail)) return false
    let at = head.length
    const limit = watched.length - tail.length
    for (const part of middle) {
      const found = watched.indexOf(part, at)
      if (found === -1 || found + part.length > limit) return false
      at = found + part.length
    }
    return true
  }
}
