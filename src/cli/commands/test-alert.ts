// `certbell test-alert`: a sample through every sink, past the outbox, and what each answered.
import { randomUUID } from 'node:crypto'
import { createNotifiers, planRun } from '../../app.ts'
import type { TestAlert } from '../../watch/alert.ts'
import { printable, safeJson } from '../../watch/printable.ts'
import type { Session } from '../session.ts'
import { realWorld } from '../world.ts'

/** Runs the command; the exit code: 1 if a sink did not take it. */
export async function testAlert(session: Session): Promise<number> {
  const { world, close } = realWorld(session)
  try {
    const plan = planRun(session.config, world.stdout.isTty, session.version)
    const sinks = createNotifiers(session.config, plan, world)
    if (sinks.length === 0) {
      session.out('There is no sink to try: give slack, or stdout.\n')
      return 1
    }
    const now = new Date(world.clock.now())
    const answers = await Promise.all(
      sinks.map(async (sink) => ({
        sink: sink.name,
        outcome: await sink.send(sink.compose([sample(now)], { now }), () => new Date(world.clock.now())),
      })),
    )
    if (session.flags.json === true) {
      for (const { sink, outcome } of answers)
        session.out(`${safeJson({ schema: 'certbell.test-alert/1', sink, outcome: outcome.kind, answer: outcome.answer })}\n`)
    } else {
      for (const { sink, outcome } of answers)
        session.out(`${outcome.kind === 'delivered' ? 'ok    ' : 'FAIL  '} ${sink}: ${printable(outcome.answer, 200)}\n`)
    }
    return answers.every(({ outcome }) => outcome.kind === 'delivered') ? 0 : 1
  } finally {
    await close()
  }
}

function sample(now: Date): TestAlert {
  const message = 'This is a test of certbell. No certificate was issued. Alerts will arrive here'
  return {
    schema: 'certbell.alert/1',
    kind: 'test',
    id: `test/${randomUUID()}`,
    severity: 'info',
    reason: message,
    findings: [{ kind: 'test', severity: 'info', reason: message }],
    message,
    seen_at: now.toISOString(),
  }
}
