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
