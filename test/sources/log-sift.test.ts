// What an entry is to the owner, where it brings out a fault.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createSift } from '../../src/sources/log-sift.ts'
import type { Matcher } from '../../src/watch/match.ts'
import { createMatcher } from '../../src/watch/match.ts'
import { certificate, dns, el, POISON, san } from '../ct/der-writer.ts'
import { itemOf } from '../support/items.ts'

it('an entry over which Certbell fails is malformed, so that it is told and passed over', () => {
  const fails = (): never => {
    throw new RangeError('a fault of ours')
  }
  const matcher = new Proxy({} as Matcher, { get: () => fails })
  const der = certificate({ extensions: [san(dns('www.watched.example'))] })
  const entry = {
    index: 7,
    leafHash: Buffer.alloc(32, 1),
    why: undefined,
    precertificate: undefined,
    entry: { type: 'x509', timestamp: 1, der, issuerKeyHash: undefined, leafIndex: undefined },
  }
  const sifted = createSift(matcher)({ id: 'id', description: 'a log' }, entry as never, new Date())
  assert.deepEqual(Object.keys(sifted ?? {}), ['malformed'])
  assert.deepEqual([sifted?.malformed?.index, sifted?.malformed?.log_id], [7, 'id'])
  assert.match(sifted?.malformed?.why ?? '', /^Certbell failed at it \(RangeError\), which is a fault of Certbell's/)
})

const sightingOf = (der: Uint8Array) => {
  const entry = {
    index: 7,
    leafHash: Buffer.alloc(32, 1),
    why: undefined,
    precertificate: undefined,
    entry: { type: 'x509', timestamp: Date.UTC(2026, 9, 5), der, issuerKeyHash: undefined, leafIndex: undefined },
  }
  const sift = createSift(createMatcher([itemOf('example.com')], []))
  return sift({ id: 'id', description: 'a log' }, entry as never, new Date())?.sighting ?? assert.fail('it is ours')
}

it('one that was logged as a certificate and has the poison is a precertificate', () => {
  assert.equal(sightingOf(certificate({ extensions: [san(dns('example.com'))] })).issuance.precertificate, false)
  assert.equal(sightingOf(certificate({ extensions: [san(dns('example.com')), POISON] })).issuance.precertificate, true)
})

it('of a validity, what cannot be read is named, and the rest is as it is', () => {
  const extensions = [san(dns('example.com'))]
  const never = el(23, 'never')
  for (const [parts, reason] of [
    [{ extensions }, undefined],
    [{ extensions, notBefore: never }, 'the beginning of its validity cannot be read; the time at which it was logged stands for it'],
    [{ extensions, notAfter: never }, 'the end of its validity cannot be read; the time at which it was logged stands for it'],
    [{ extensions, notBefore: never, notAfter: never }, 'its validity cannot be read; the time at which it was logged stands for it'],
  ] as const)
    assert.equal(sightingOf(certificate(parts)).remarks?.[0]?.reason, reason)
})
