// The built function as Lambda runs it: a process of its own that asks a Runtime API for events, with everything around it on loopback.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startAwsSecrets } from '../../src/sandbox/aws-secrets.ts'
import { TOKEN, until } from '../support/run.ts'
import type { LambdaPlace } from './place.ts'
import { KEYS, lambdaPlace } from './place.ts'

const YAML = 'certspotter:\n  quota: {full: 1000}\n'

describe('the function in its runtime', { timeout: 300_000 }, () => {
  let place: LambdaPlace
  beforeEach(async () => {
    place = await lambdaPlace(YAML)
  })
  afterEach(async () => place.close())

  it('cold start, then ten ticks: a baseline, what is news each once, nothing asked that is not due', async () => {
    place.old('www.example.com', 'mail.example.com')
    assert.deepEqual(await place.summary(), { polled: 1, new: 2, delivered: 1, pending: 0, trouble: [] })
    assert.match(JSON.stringify(place.slack.messages[0]?.payload), /Now watching/)
    for (let n = 1; n <= 10; n++) {
      place.fresh(`new${n}.example.com`)
      assert.deepEqual(await place.summary(n + 0.01), { polled: 1, new: 1, delivered: 1, pending: 0, trouble: [] }, `tick ${n}`)
      assert.equal(place.rung(`new${n}.example.com`), 1)
    }
    const writes = place.s3.log.filter(({ method }) => method === 'PUT').length
    assert.deepEqual(await place.summary(10.1), { polled: 0, new: 0, delivered: 0, pending: 0, trouble: [] })
    assert.equal(place.s3.log.filter(({ method }) => method === 'PUT').length, writes, 'a tick with nothing due writes nothing')
    assert.equal(place.api.requests.length, 11)
    const metrics = place
      .said()
      .split('\n')
      .filter((line) => line.startsWith('{'))
    assert.deepEqual(
      metrics.map((line) => (JSON.parse(line) as { readonly Delivered: number }).Delivered),
      [...Array.from({ length: 11 }, () => 1), 0],
      'a line of metrics for each tick',
    )
    assert.equal(place.api.requests.filter(({ after }) => after === '').length, 1)
    assert.deepEqual(place.slack.violations, [])
  })

  it('an API that hangs: it returns in time, what it has is delivered, the next tick goes on', async () => {
    place.old('www.example.com')
    await place.summary()
    place.fresh('held.example.com')
    place.slack.script.push('reset')
    assert.deepEqual(await place.summary(1.1), {
      polled: 1,
      new: 1,
      delivered: 0,
      pending: 1,
      trouble: ['sink:slack: slack takes no messages (no answer (reset): the connection broke off). 1 alert waits, none is lost'],
    })
    place.api.script.push('hang')
    const began = performance.now()
    const summary = await place.summary(2.2, 18_000)
    assert.ok(performance.now() - began < 12_000, 'the time for storing is kept')
    assert.deepEqual([summary.polled, summary.delivered, summary.pending], [0, 1, 0])
    assert.match(summary.trouble.join(), /certspotter: the Cert Spotter API cannot be reached: no whole answer within/)
    assert.equal(place.rung('held.example.com'), 1)
    // A failure pauses the source for some minutes.
    assert.deepEqual(await place.summary(12), { polled: 1, new: 0, delivered: 0, pending: 0, trouble: [] })
  })

  it('a Slack that hangs: it returns in time with the outbox kept, and the next process delivers', async () => {
    place.old('www.example.com')
    await place.summary()
    place.fresh('kept.example.com')
    place.slack.setMode('hang')
    const summary = await place.summary(1.1, 18_000)
    assert.deepEqual([summary.polled, summary.new, summary.delivered, summary.pending], [1, 1, 0, 1])
    await place.kill()
    place.slack.setMode(undefined)
    assert.deepEqual(await place.summary(3), { polled: 1, new: 0, delivered: 1, pending: 0, trouble: [] })
    assert.equal(place.rung('kept.example.com'), 1)
  })

  it('no time to begin with: nothing is asked, and it says what to set', async () => {
    place.old('www.example.com')
    const summary = await place.summary(0, 12_000)
    assert.deepEqual([summary.polled, place.api.requests.length, place.slack.attempts.length], [0, 0, 0])
    assert.match(summary.trouble[0] ?? '', /^lambda: .*Set the timeout of the function/)
  })

  for (const [where, arm] of [
    ['before the answer of the API', (p, kill) => p.api.beforeAnswer(kill)],
    ['after the answer of the API', (p, kill) => p.api.afterAnswer(kill)],
    ['when Slack has taken the message', (p, kill) => p.slack.onMessage(() => void kill())],
  ] as const satisfies readonly (readonly [string, (p: LambdaPlace, kill: () => Promise<void>) => void])[]) {
    it(`the process is killed ${where}: the next one goes on, nothing is lost`, async () => {
      place.old('www.example.com')
      await place.summary()
      place.fresh('crash.example.com')
      let killed = false
      arm(place, async () => {
        if (killed) return
        killed = true
        await place.kill()
      })
      void place.tick(1.1)
      await until(() => killed, 'it is killed')
      await place.kill()
      // The leases of the dead are over by then.
      await place.summary(3)
      await place.summary(5)
      assert.ok(place.rung('crash.example.com') >= 1)
      assert.ok(place.rung('crash.example.com') <= (where.startsWith('when Slack') ? 2 : 1))
      assert.equal(place.rung('Now watching'), 1)
    })
  }

  it('an event that comes twice, at the same time, in two processes: once', async () => {
    place.old('www.example.com')
    await place.summary()
    place.fresh('twice.example.com')
    const other = await lambdaPlace(YAML)
    try {
      other.start({
        AWS_ENDPOINT_URL_S3: place.s3.endpoint,
        SLACK_WEBHOOK: place.slack.url,
        CERTSPOTTER_API_URL: place.api.url,
      })
      const [one, two] = await Promise.all([place.summary(1.1), other.summary(1.1)])
      assert.deepEqual([one.polled + two.polled, one.delivered + two.delivered, one.trouble, two.trouble], [1, 1, [], []])
    } finally {
      await other.close()
    }
    assert.equal(place.rung('twice.example.com'), 1)
    assert.equal(place.api.requests.length, 2)
  })

  it('a process that was frozen for long goes on with what others did meanwhile', async () => {
    place.old('www.example.com')
    await place.summary()
    const frozen = place.child()
    frozen.kill('SIGSTOP')
    const other = await lambdaPlace(YAML)
    try {
      other.start({ AWS_ENDPOINT_URL_S3: place.s3.endpoint, SLACK_WEBHOOK: place.slack.url, CERTSPOTTER_API_URL: place.api.url })
      place.fresh('a.example.com')
      assert.equal((await other.summary(2)).delivered, 1)
    } finally {
      await other.close()
    }
    place.fresh('b.example.com')
    frozen.kill('SIGCONT')
    assert.deepEqual(await place.summary(4), { polled: 1, new: 1, delivered: 1, pending: 0, trouble: [] })
    assert.deepEqual([place.rung('a.example.com'), place.rung('b.example.com')], [1, 1])
  })

  it('settings that are wrong: it throws every problem with its remedy, and no secret', async () => {
    place.start({ S3_BUCKET: undefined, MONITOR_DOMAINS: 'com', SLACK_WEBHOOK: 'ftp://hooks.slack.com/services/hKq7NeverPrintThisWebhook' })
    const end = await place.tick()
    assert.ok(end.kind === 'error')
    assert.match(end.body.errorMessage, /2 problems/)
    assert.doesNotMatch(JSON.stringify(end.body), /NeverPrint/)
  })

  it('no bucket: it throws, and says what to set', async () => {
    place.start({ S3_BUCKET: undefined })
    const end = await place.tick()
    assert.ok(end.kind === 'error')
    assert.match(end.body.errorMessage, /is gone with the process here.*Set S3_BUCKET/)
    assert.equal(place.api.requests.length, 0)
  })

  it('secrets at AWS: one that was refused is asked for again in the next tick, and no sooner than in an hour otherwise', async () => {
    const secrets = await startAwsSecrets(KEYS)
    try {
      secrets.parameters.set('/certbell/slack', place.slack.url)
      secrets.secrets.set('certbell', JSON.stringify({ token: 'k1_WrongNeverPrintMe' }))
      place.start({
        AWS_ENDPOINT_URL_SSM: secrets.endpoint,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
        SLACK_WEBHOOK: 'ssm:/certbell/slack',
        CERTSPOTTER_API_TOKEN: 'secretsmanager:certbell#token',
      })
      place.old('www.example.com')
      const refused = await place.summary()
      assert.equal(refused.polled, 0)
      assert.match(refused.trouble.join(), /certspotter: the Cert Spotter API refuses the token/)
      secrets.secrets.set('certbell', JSON.stringify({ token: TOKEN }))
      assert.equal((await place.summary(1.1)).polled, 1)
      assert.equal((await place.summary(2.2)).polled, 1)
      assert.deepEqual(secrets.log.map(({ id, refused: why }) => `${id} ${why ?? 'read'}`).sort(), [
        '/certbell/slack read',
        '/certbell/slack read',
        'certbell read',
        'certbell read',
      ])
    } finally {
      await secrets.close()
    }
  })

  it('a webhook that is gone: the new one is found and used in the next tick', async () => {
    const secrets = await startAwsSecrets(KEYS)
    try {
      secrets.parameters.set('/certbell/slack', place.slack.url)
      place.start({ AWS_ENDPOINT_URL: secrets.endpoint, SLACK_WEBHOOK: 'ssm:/certbell/slack' })
      place.old('www.example.com')
      await place.summary()
      place.fresh('moved.example.com')
      place.slack.script.push({ status: 404, body: 'no_service' })
      assert.deepEqual((await place.summary(1.1)).pending, 1)
      // The same place by another address.
      secrets.parameters.set('/certbell/slack', place.slack.url.replace('127.0.0.1', 'localhost'))
      const summary = await place.summary(2.2)
      assert.deepEqual([summary.delivered, summary.pending, summary.trouble], [1, 0, []])
      assert.equal(place.rung('moved.example.com'), 1)
    } finally {
      await secrets.close()
    }
  })

  it('a secret that may not be read: it throws, and names the right', async () => {
    const secrets = await startAwsSecrets(KEYS)
    try {
      place.start({ AWS_ENDPOINT_URL: secrets.endpoint, SLACK_WEBHOOK: 'ssm:/certbell/slack' })
      secrets.script.push({ status: 400, type: 'AccessDeniedException' })
      const end = await place.tick()
      assert.ok(end.kind === 'error')
      assert.match(end.body.errorMessage, /SLACK_WEBHOOK +reading ssm:\/certbell\/slack is not allowed\. The role needs ssm:GetParameter on /)
    } finally {
      await secrets.close()
    }
  })

  it('S3 that does not answer: no throw, the trouble is named and said to Slack', async () => {
    place.old('www.example.com')
    await place.summary()
    place.s3.switches.fault = () => 'slow-down'
    const summary = await place.summary(1.1, 19_000)
    assert.deepEqual([summary.polled, summary.pending], [0, -1])
    assert.match(summary.trouble[0] ?? '', /^state: .*cannot be used just now/)
    assert.equal(place.rung('cannot be used just now'), 1)
    place.s3.switches.fault = () => undefined
    assert.equal((await place.summary(2.2)).polled, 1)
  })

  it('S3 that takes no connection any more: likewise, within the time', async () => {
    place.old('www.example.com')
    await place.summary()
    place.s3.switches.latencyMs = 60_000
    const began = performance.now()
    const summary = await place.summary(1.1, 12_500)
    assert.ok(performance.now() - began < 11_500)
    assert.match(summary.trouble.join(), /state: .*no answer in time/)
    assert.equal(place.rung('no answer in time'), 1)
  })

  it('the heartbeat is told at each tick, and what it is told', async () => {
    const beats = await startReceiver()
    try {
      place.start({ CERTBELL_HEARTBEAT: `${beats.url}/ping/abcdef` })
      place.old('www.example.com')
      await place.summary()
      place.s3.switches.fault = () => 'slow-down'
      await place.summary(1.1, 16_000)
      assert.deepEqual(
        beats.requests.map(({ path }) => path),
        ['/ping/abcdef', '/ping/abcdef/fail'],
      )
    } finally {
      await beats.close()
    }
  })

  it('B12: 404 is a first run; a role that may not list gets 403 for what is not there, and that stops it with the statement that is missing', async () => {
    place.s3.switches.noList = true
    place.old('www.example.com')
    const end = await place.tick()
    assert.ok(end.kind === 'error')
    assert.match(end.body.errorMessage, /s3:ListBucket on arn:aws:s3:::bucket \(the bucket's own ARN, without \/\*\)/)
    assert.deepEqual([place.api.requests.length, place.slack.attempts.length, place.s3.objects.size], [0, 0, 0])
    place.s3.switches.noList = false
    assert.equal((await place.summary()).polled, 1)
  })

  it('B12: 403 in the middle of its life is never a fresh start', async () => {
    place.old('www.example.com')
    await place.summary()
    place.s3.switches.denyAll = true
    for (const cold of [false, true]) {
      if (cold) await place.kill()
      const end = await place.tick(2)
      assert.ok(end.kind === 'error')
      assert.match(end.body.errorMessage, /s3:GetObject/)
    }
    place.s3.switches.denyAll = false
    assert.deepEqual(await place.summary(4), { polled: 1, new: 0, delivered: 0, pending: 0, trouble: [] })
    assert.equal(place.api.requests.filter(({ after }) => after === '').length, 1)
  })

  it('B13: an empty or cut off object is no state: it stops, and the history is not posted again', async () => {
    place.old('www.example.com')
    await place.summary()
    const root = place.s3.objects.get('certbell.json.gz')?.body ?? Buffer.alloc(0)
    for (const broken of [Buffer.alloc(0), root.subarray(0, root.length / 2)]) {
      place.s3.set('certbell.json.gz', broken)
      await place.kill()
      const end = await place.tick(2)
      assert.ok(end.kind === 'error')
      assert.match(end.body.errorMessage, /damaged/)
    }
    assert.deepEqual([place.api.requests.length, place.slack.messages.length], [1, 1])
  })

  it('B13: a write whose answer is lost happened: it is neither done twice nor taken for a stranger’s', async () => {
    place.old('www.example.com')
    await place.summary()
    place.fresh('lost.example.com')
    let lost = 0
    place.s3.switches.fault = ({ method, key }) => (method === 'PUT' && key === 'certbell.json.gz' && lost++ < 3 ? 'lost' : undefined)
    assert.deepEqual(await place.summary(1.1), { polled: 1, new: 1, delivered: 1, pending: 0, trouble: [] })
    assert.ok(lost >= 3)
    assert.equal(place.rung('lost.example.com'), 1)
  })
})
