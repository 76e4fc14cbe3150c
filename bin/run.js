// Loads the command.
const v8 = require('node:v8')

// A page of the API is half a megabyte that is garbage a millisecond later. Left alone, V8 lets its heap and what hangs on it outside grow to 200 MB
// for that; told to collect a little earlier, it needs 140 for a baseline of any size and hardly more time (bench/baseline.ts).
for (const flag of ['--external-memory-accounted-in-global-limit', '--heap-growing-percent=25']) v8.setFlagsFromString(flag)

// Compiled code is kept beside the code itself, where whoever may write it may change us anyway; where nobody may, nothing is kept.
require('node:module').enableCompileCache(require('node:path').join(__dirname, '..', 'dist', '.compiled'))

// On Node 22 node:sqlite says that it is experimental each time: it is what we chose, and no news to whoever runs us.
const emitWarning = process.emitWarning.bind(process)
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).includes('SQLite is an experimental feature')) emitWarning(warning, ...rest)
}

import('../dist/cli/main.js').then(
  ({ main }) => {
    // The nursery has grown to what starting up needed: large enough.
    v8.setFlagsFromString('--semi-space-growth-factor=1')
    return main(process.argv.slice(2))
  },
  (error) => {
    console.error(error && error.code === 'ERR_MODULE_NOT_FOUND' ? 'certbell is not built yet: run npm run build' : error)
    process.exitCode = 2
  },
)
