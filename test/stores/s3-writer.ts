// A process of its own that writes to a bucket: node s3-writer.ts ENDPOINT NAME COUNT. Each turn counts one, and adds an alert of its own and a shared one.
import { openS3 } from '../../src/stores/s3/backend.ts'
import type { TestAlert } from '../../src/watch/alert.ts'
import { s3Options } from './s3-place.ts'
import { T0 } from './support.ts'

const [endpoint = '', name = '', count = '0'] = process.argv.slice(2)
const backend = await openS3(s3Options(endpoint))
const alert = (id: string): TestAlert => ({
  schema: 'certbell.alert/1',
  kind: 'test',
  id,
  severity: 'info',
  reason: id,
  findings: [],
  seen_at: '',
  message: id,
})
for (let n = 0; n < Number(count); n++) {
  await backend.transact(async (tx) => {
    tx.control.alerts['turns'] = (tx.control.alerts['turns'] ?? 0) + 1
    await tx.addAlerts([alert(`${name} ${n}`), alert(`shared ${n}`)], ['slack'], T0)
  })
}
