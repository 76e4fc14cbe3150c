// Whether a log may say what it says: a head against what it said before. Pure. Sizes pass 2^32.
import type { Misbehaviour } from './log-alerts.ts'
import { grouped, plural, span } from './words.ts'

/** A head, its root in base64, its time in ms. */
export interface Head {
  readonly size: number
  readonly root: string
  readonly timestamp: number
}

/** What is known of the log. */
export interface KnownLog {
  /** Heads that were verified, newest last. */
  readonly recent: readonly Head[]
  /** Entries that were verified. */
  readonly verified: number
  /** The last head that the list has of a log which takes nothing any more. */
  readonly final: { readonly size: number; readonly root: string } | undefined
  /** Since when it takes nothing any more, ms, where the list has no last head. */
  readonly closedSince?: number | undefined
}

/**
 * `read`: read on to this head. `stale`: it shows no more than we have verified, as far as can be told. `refused`: it cannot be reconciled with what
 * the log signed before, and must not be read on. `misbehaviour` rings in any case.
 */
export interface HeadVerdict {
  readonly verdict: 'read' | 'stale' | 'refused'
  /** It is smaller than what was verified, and of a size that was not seen: whether it is the beginning of that is still to be proved. */
  readonly unproved: boolean
  readonly misbehaviour: readonly Misbehaviour[]
}

/** What a log has promised before it closed it may take in for a day, which is its MMD. */
const MERGE_DELAY = 24 * 3_600_000
/** Clocks differ a little. */
const FUTURE = 5 * 60_000

/** Judges a head that came at `now` (ms). `valid`: the log's key signed it. */
export function judgeHead(head: Head, valid: boolean, { recent, verified, final, closedSince = Infinity }: KnownLog, now: number): HeadVerdict {
  const about = `${head.size}/${head.root.slice(0, 12)}`
  const found: Misbehaviour[] = []
  if (!valid) {
    const message = `it showed a tree head of ${plural(head.size, 'entry', 'entries')} that its key did not sign. The head is not used; reading goes on with the next that is signed`
    return { verdict: 'refused', unproved: false, misbehaviour: [{ kind: 'wrong-signature', about, message }] }
  }
  const twin = recent.find(({ size }) => size === head.size)
  if (twin !== undefined && twin.root !== head.root) {
    const message = `it signed two different trees of ${plural(head.size, 'entry', 'entries')}: it shows different logs to different people. What was verified stays; reading goes on when a head continues it`
    return { verdict: 'refused', unproved: false, misbehaviour: [{ kind: 'split-view', about, message }] }
  }
  if (final !== undefined && head.size === final.size && head.root !== final.root) {
    found.push({
      kind: 'final-head-differs',
      about,
      message: `its tree of ${plural(head.size, 'entry', 'entries')} is not the one that the log list has as its last`,
    })
    return { verdict: 'refused', unproved: false, misbehaviour: found }
  }
  if (final !== undefined && head.size > final.size) {
    const message = `it is closed with ${plural(final.size, 'entry', 'entries')} and has ${grouped(head.size)} now. They are read all the same`
    found.push({ kind: 'read-only-grew', about, message })
  }
  const before = recent.at(-1)
  if (final === undefined && before !== undefined && head.size > before.size && now > closedSince + MERGE_DELAY) {
    const message = `it has been closed for ${span(now - closedSince)}, and grew from ${grouped(before.size)} to ${plural(head.size, 'entry', 'entries')}. They are read all the same`
    found.push({ kind: 'read-only-grew', about, message })
  }
  if (head.timestamp > now + FUTURE)
    found.push({ kind: 'future-timestamp', about, message: `its tree head is dated ${span(head.timestamp - now)} in the future` })
  // One from the future was told of, and would make liars of all that come after it.
  const last = recent.findLast(({ timestamp }) => timestamp <= now + FUTURE)
  if (last !== undefined && head.size > last.size && head.timestamp < last.timestamp)
    found.push({
      kind: 'timestamp-back',
      about,
      message: `its larger tree of ${plural(head.size, 'entry', 'entries')} is dated ${span(last.timestamp - head.timestamp)} before the smaller one`,
    })
  return { verdict: head.size > verified ? 'read' : 'stale', unproved: head.size < verified && twin === undefined, misbehaviour: found }
}

/** A closed log that has grown beyond the last head of its list, and not from that one. */
export function otherEnd(head: Head, finalSize: number): Misbehaviour {
  return {
    kind: 'final-head-differs',
    about: `${head.size}/${head.root.slice(0, 12)}`,
    message: `its tree of ${plural(head.size, 'entry', 'entries')} does not begin with the one of ${grouped(finalSize)} that the log list has as its last. It is read on`,
  }
}

/** A rightly signed tree that is no beginning of what the log signed before; `unshown`: or of which it does not show that it is, having less than it had. */
export function shrunkenTree(head: Head, verified: number, how: 'proved' | 'unshown'): Misbehaviour {
  const what = how === 'proved' ? 'that is not the beginning of' : 'and nothing to show any more of'
  return {
    kind: 'shrunken-tree',
    about: `${head.size}/${head.root.slice(0, 12)}`,
    message: `it signed a tree of ${plural(head.size, 'entry', 'entries')} ${what} the ${grouped(verified)} that were verified. What was verified stays; reading goes on when a head continues it`,
  }
}
