// The rates as JSON, for a Node that cannot run TypeScript: see older-node.ts.
import { rates } from './rates.ts'

console.log(JSON.stringify(rates()))
