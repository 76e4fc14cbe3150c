// npm run bench: every claim about speed and size, as a ratio to something measured in the same run. `npm run bench -- baseline` runs one.
import { baseline } from './baseline.ts'
import { catchUp } from './catch-up.ts'
import { entries } from './entries.ts'
import { lambda } from './lambda.ts'
import { long } from './long.ts'
import { matching } from './matching.ts'
import { verdict } from './measure.ts'
import { pages } from './pages.ts'
import { startup } from './startup.ts'
import { tailing } from './tailing.ts'

const all: Readonly<Record<string, () => Promise<void> | void>> = {
  startup,
  lambda,
  matching,
  entries,
  pages,
  'catch-up': catchUp,
  long,
  tailing,
  baseline,
}
const wanted = process.argv.slice(2)
for (const [name, bench] of Object.entries(all)) if (wanted.length === 0 || wanted.includes(name)) await bench()
process.exitCode = verdict()
