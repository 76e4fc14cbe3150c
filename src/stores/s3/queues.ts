// A sink's queue as the root has it. Alerts have numbers in the order of discovery, so a queue is a position and what is not in order: messages that
// were composed and not yet delivered. Who got what, and when, is kept for each of the latest messages, and by the day before that.

/** A composed message that is not delivered. Its text and alerts are in the object that `name` tells. Times in ms. */
export interface QueuedMessage {
  readonly id: number
  /** Empty until it is written. */
  name: string
  readonly seqs: readonly number[]
  parked: boolean
  attempts: number
  at?: number
  until?: number
  answer?: string
}

/** Alerts from one number to another that were delivered at a time, with what the sink answered. */
export type Delivered = readonly [from: number, to: number, at: number, answer: string]

export interface SinkQueue {
  /** Every alert for this sink from this number on is in no message yet. */
  next: number
  /** How many those are. */
  queued: number
  messages: QueuedMessage[]
  delivered: Delivered[]
}

/** What became of one alert at one sink. */
export interface Fate {
  readonly state: 'waiting' | 'retrying' | 'parked' | 'delivered'
  readonly at?: number
  readonly answer?: string
}

const DAY = 86_400_000
/** So many deliveries are remembered one by one. */
const SINGLE = 200
const MAX_ANSWER = 500

/** A queue of a sink that is new. */
export function emptyQueue(): SinkQueue {
  return { next: 0, queued: 0, messages: [], delivered: [] }
}

/** Queues alerts with these numbers, ascending, all above those that are there. */
export function enqueue(queue: SinkQueue, seqs: readonly number[]): void {
  // An empty queue begins at the first that is for it: nothing before that is ever looked through.
  if (queue.queued === 0 && seqs[0] !== undefined) queue.next = seqs[0]
  queue.queued += seqs.length
}

/** Takes the oldest alerts of the queue into a message. */
export function takeMessage(queue: SinkQueue, id: number, seqs: readonly number[]): QueuedMessage {
  const message: QueuedMessage = { id, name: '', seqs, parked: false, attempts: 0 }
  queue.messages.push(message)
  queue.next = Math.max(queue.next, ...seqs.map((seq) => seq + 1))
  queue.queued -= seqs.length
  return message
}

/** Records an attempt at a message; false if it is not there, or no more. `until` (ms): when a parked one is tried again. */
export function recordAttempt(
  queue: SinkQueue,
  id: number,
  change: { readonly state: 'open' | 'parked' | 'delivered'; readonly answer: string; readonly at: number; readonly until?: number },
): boolean {
  const message = queue.messages.find((other) => other.id === id)
  if (message === undefined) return false
  const { at, until } = change
  const answer = change.answer.slice(0, MAX_ANSWER)
  if (change.state === 'delivered') {
    queue.messages = queue.messages.filter((other) => other !== message)
    queue.delivered.push([Math.min(...message.seqs), Math.max(...message.seqs), at, answer])
    queue.delivered = byDay(queue.delivered)
    return true
  }
  Object.assign(message, { parked: change.state === 'parked', attempts: message.attempts + 1, at, answer, ...(until !== undefined && { until }) })
  return true
}

// Those of one day that were answered alike become one, as if all had been delivered last.
function byDay(delivered: readonly Delivered[]): Delivered[] {
  const old: Delivered[] = []
  const single = Math.max(0, delivered.length - SINGLE)
  for (const entry of delivered.slice(0, single)) {
    const before = old.at(-1)
    if (before === undefined || before[3] !== entry[3] || Math.floor(before[2] / DAY) !== Math.floor(entry[2] / DAY)) old.push(entry)
    else old[old.length - 1] = [Math.min(before[0], entry[0]), Math.max(before[1], entry[1]), Math.max(before[2], entry[2]), entry[3]]
  }
  return [...old, ...delivered.slice(single)]
}

/** What became of the alert `seq`, which is for this sink. */
export function fateOf(queue: SinkQueue, seq: number): Fate {
  const message = queue.messages.find(({ seqs }) => seqs.includes(seq))
  if (message !== undefined) {
    return {
      state: message.parked ? 'parked' : message.attempts > 0 ? 'retrying' : 'waiting',
      ...(message.at !== undefined && { at: message.at }),
      ...(message.answer !== undefined && { answer: message.answer }),
    }
  }
  if (queue.queued > 0 && seq >= queue.next) return { state: 'waiting' }
  // A message that was parked lies within the span of a day's others: the narrowest is its own.
  let found: Delivered | undefined
  for (const entry of queue.delivered) {
    if (entry[0] <= seq && seq <= entry[1] && (found === undefined || entry[1] - entry[0] <= found[1] - found[0])) found = entry
  }
  return { state: 'delivered', ...(found !== undefined && { at: found[2], answer: found[3] }) }
}

/** The number of the oldest alert that is not delivered; Infinity if there is none. */
export function oldestWaiting(queue: SinkQueue): number {
  return Math.min(queue.queued > 0 ? queue.next : Infinity, ...queue.messages.flatMap(({ seqs }) => seqs))
}
