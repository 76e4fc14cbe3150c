// Preloaded into the real command (NODE_OPTIONS=--require): its wall clock is off by CLOCK_SHIFT_MS, and jumps by CLOCK_JUMP_MS at SIGUSR2.
// Timers stay true: that is how it looks when someone sets the clock of a machine.
let shift = Number(process.env.CLOCK_SHIFT_MS || 0)
const Real = Date
globalThis.Date = class Date extends Real {
  constructor(...parts) {
    if (parts.length === 0) super(Real.now() + shift)
    else super(...parts)
  }
  static now() {
    return Real.now() + shift
  }
}
if (process.env.CLOCK_JUMP_MS) process.on('SIGUSR2', () => (shift += Number(process.env.CLOCK_JUMP_MS)))
