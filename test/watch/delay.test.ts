import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sinceLogged } from '../../src/watch/delay.ts'
import { certificate, INVENTORY, logged, NOW } from '../notifiers/alerts.ts'

const now = NOW.getTime()
const at = (ms: number): string => new Date(now + ms).toISOString()

for (const { what, alert, ms } of [
  { what: 'logged 5 s ago', alert: logged(1, true, { logged_at: at(-5000) }), ms: 5000 },
  { what: 'logged 3 months ago, from the beginning of a log', alert: logged(1, true, { logged_at: at(-90 * 86_400_000) }), ms: 90 * 86_400_000 },
  { what: 'by a clock that is a little ahead', alert: logged(1, true, { logged_at: at(2000) }), ms: 0 },
  { what: 'logged in an hour', alert: logged(1, true, { logged_at: at(3_600_000) }), ms: undefined },
  { what: 'logged in 2100', alert: logged(1, true, { logged_at: '2100-01-01T00:00:00Z' }), ms: undefined },
  { what: 'logged in 1970', alert: logged(1, true, { logged_at: '1970-01-01T00:00:00Z' }), ms: undefined },
  { what: 'logged at no time', alert: logged(1, true, { logged_at: 'soon' }), ms: undefined },
  { what: 'from the API', alert: certificate(), ms: undefined },
  { what: 'no certificate', alert: INVENTORY, ms: undefined },
])
  it(`${what}: ${ms ?? 'not known'}`, () => assert.equal(sinceLogged(alert, now), ms))
