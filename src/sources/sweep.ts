// The collector, called for what comes from the network. It counts what a socket reads into as little, and comes round to it after a hundred megabytes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes received between two sweeps: each takes about a millisecond. */
const EVERY = 4 * 1024 * 1024

type Gc = (options: { readonly type: 'minor' }) => unknown

/** Sweeps what is young as bytes are received. */
export function createSweep(): (bytes: number) => void {
  let received = 0
  let gc: Gc | undefined
  return (bytes) => {
    received += bytes
    if (received < EVERY) return
    received = 0
    gc ??= collector()
    gc({ type: 'minor' })
  }
}

// There is no other way to it from inside.
function collector(): Gc {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  return typeof gc === 'function' ? (gc as Gc) : () => undefined
}
