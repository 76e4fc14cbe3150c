// A small question asked once more while its answer is waited for: a socket that hangs is no reason to miss that the log is back.
import type { Clock } from '../clock.ts'

/**
 * Asks again after every so many ms, until one of the answers is there. Rejects once an answer that failed leaves none to wait for, and with the first that
 * was asked for: those asked since would else be followed by others for as long as the log hangs.
 */
export async function hedged<T>(ask: (signal: AbortSignal) => Promise<T>, every: number, clock: Clock, signal: AbortSignal): Promise<T> {
  const over = new AbortController()
  const all = AbortSignal.any([signal, over.signal])
  let open = 0
  try {
    return await new Promise<T>((resolve, reject) => {
      const beginLater = async (): Promise<void> => {
        await clock.sleepUntil(clock.now() + every, all)
        if (!all.aborted) begin(false)
      }
      const begin = (isFirst: boolean): void => {
        open += 1
        ask(all).then(resolve, (error: unknown) => {
          open -= 1
          if (open === 0 || isFirst) reject(error)
        })
        void beginLater()
      }
      begin(true)
    })
  } finally {
    over.abort()
  }
}
