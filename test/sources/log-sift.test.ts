// What an entry is to the owner, where it brings out a fault.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createSift } from '../../src/sources/log-sift.ts'
import type { Matcher } from '../../src/watch/match.ts'
import { certificate, dns, san } from '../ct/der-writer.ts'

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
