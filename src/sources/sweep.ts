// The collector, called for what comes from the network. It counts what a socket reads into as little, and comes round to it after a hundred megabytes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes received between two sweeps: each takes about a millisecond. */
const EVERY = 4 * 1024 * 1024

type Gc = (options: { readonly type: 'minor' | 'major' }) => unknown

let collector: Gc | undefined

/** Sweeps now: what is young, or everything, which takes some 20 ms. On the thread that calls it. */
export function sweep(type: 'minor' | 'major'): void {
  collector ??= findCollector()
  collector({ type })
}

/** Sweeps what is young as bytes of large answers are received: at full speed it would cost what is usual too much. */
export function createSweep(): (bytes: number) => void {
  let received = 0
  return (bytes) => {
    received += bytes
    if (received < EVERY) return
    received = 0
    sweep('minor')
  }
}

// There is no other way to it from inside.
function findCollector(): Gc {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  return typeof gc === 'function' ? (gc as Gc) : () => undefined
}
