// Waiting for something that others have, in order, and giving it up at any time.

/** One after another. */
export interface Turns {
  /** Resolves when it is one's turn, with what ends the turn, to be called once. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>
  /** Somebody waits for the one whose turn it is. */
  isAwaited(): boolean
}

/** Nobody's turn yet. */
export function createTurns(): Turns {
  const waiting = new Set<() => void>()
  let taken = false
  const leave = (): void => {
    const [next] = waiting
    if (next === undefined) taken = false
    else next()
  }
  return {
    isAwaited: () => waiting.size > 0,
    take: async (signal) => {
      signal.throwIfAborted()
      if (taken)
        await parked(signal, (go) => {
          waiting.add(go)
          return () => waiting.delete(go)
        })
      taken = true
      return leave
    },
  }
}

/** Until `go` is called. What `park` returns takes it out again, whichever way it ends. Rejects with the signal's reason. */
export async function parked(signal: AbortSignal, park: (go: () => void) => () => void): Promise<void> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      leave()
      reject(signal.reason as Error)
    }
    const leave = park(() => {
      leave()
      signal.removeEventListener('abort', stop)
      resolve()
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}
