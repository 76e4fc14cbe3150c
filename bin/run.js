// A page of the API is half a megabyte that is garbage a millisecond later. V8 would let its nursery, and what hangs on it outside the heap, grow to
// a hundred megabytes for that. Told to stay small it takes no more time, and a baseline of any size half the memory (bench/baseline.ts).
for (const flag of ['--semi-space-growth-factor=1', '--heap-growing-percent=30', '--external-memory-accounted-in-global-limit']) {
  require('node:v8').setFlagsFromString(flag)
}

// Loads the command. On Node 22 node:sqlite says that it is experimental each time: it is what we chose, and no news to whoever runs us.
const emitWarning = process.emitWarning.bind(process)
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).includes('SQLite is an experimental feature')) emitWarning(warning, ...rest)
}
import('../dist/cli/main.js').then(
  ({ main }) => main(process.argv.slice(2)),
  (error) => {
    console.error(error && error.code === 'ERR_MODULE_NOT_FOUND' ? 'certbell is not built yet: run npm run build' : error)
    process.exitCode = 2
  },
)
