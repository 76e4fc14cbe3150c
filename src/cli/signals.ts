// SIGINT and SIGTERM: the first asks, the second does not.

export interface Stop {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** Takes the listeners off again. */
  end(): void
}

/** Listens from now on. `first` is called at the first signal; the second ends the process at once: nothing is lost by it, only repeated. */
export function untilSignalled(first: () => void): Stop {
  const controller = new AbortController()
  const on = (): void => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort()
    first()
  }
  process.on('SIGINT', on)
  process.on('SIGTERM', on)
  return {
    signal: controller.signal,
    end: () => {
      process.off('SIGINT', on)
      process.off('SIGTERM', on)
    },
  }
}
