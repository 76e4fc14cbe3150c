// The one line on the logs in `status`: what is not read to its end is not counted as read.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { logsText } from '../../src/cli/log-rows.ts'
import type { LogOverview } from '../../src/stores/log-overview.ts'

const MINUTE = 60_000

const log = (change: Partial<LogOverview> = {}): LogOverview => ({
  log: 'Sandbox log',
  logId: 'x',
  operator: 'Certbell sandbox',
  type: 'static-ct',
  state: 'usable',
  size: 100,
  position: 100,
  verified: 100,
  lagMs: 0,
  lagEntries: 0,
  cause: undefined,
  lastError: undefined,
  seenAt: 0,
  ...change,
})
const unreached = { size: undefined, position: 0, verified: 0 }
const down = (minutes: number) => log({ ...unreached, cause: 'down', lastError: 'no connection', lagMs: minutes * MINUTE })
const behind = (cause: LogOverview['cause'], seconds: number) => log({ position: 90, lagEntries: 10, lagMs: seconds * 1000, cause })

const table: readonly (readonly [why: string, logs: readonly LogOverview[], text: string])[] = [
  ['one, read', [log()], '1 log read to its end'],
  ['all read', [log(), log()], '2 logs read to their end'],
  ['four never answered', [log(), log(), down(1), down(3), down(2), down(3)], '2 of 6 logs read to the end, 4 down (no answer, or errors) for 3 min'],
  [
    'one that was read before and fails now is not read to the end of what it has by now',
    [log({ cause: 'broken', lastError: 'HTML', lagMs: 1 })],
    '0 of 1 log read to the end, 1 sending what cannot be read for 1 s',
  ],
  ['none was asked yet', [log(unreached)], '0 of 1 log read to the end, 1 not reached yet'],
  [
    'behind, whatever slows it',
    [behind('cpu', 2), behind('slow', 5), behind('bandwidth', 1), log()],
    '1 of 4 logs read to the end, 3 behind for 5 s',
  ],
  ['refused', [behind('limited', 600), log()], '1 of 2 logs read to the end, 1 refusing us (429) for 10 min'],
  [
    'a key that cannot be used',
    [log({ ...unreached, lastError: 'it is not read: an unknown key' }), log()],
    '1 of 2 logs read to the end, 1 not read',
  ],
]
for (const [why, logs, text] of table) it(`the logs in one line: ${why}`, () => assert.equal(logsText(logs), text))
