import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { makeCertificate, makePair, nameText } from '../../src/sandbox/certificate.ts'
import { integer, oid, sequence, time, tlv } from '../../src/sandbox/der.ts'
import { createIds, makeIssuance, SECTIGO_ISSUER } from '../../src/sandbox/issuance.ts'
import { seeded } from '../../src/sandbox/random.ts'

const notBefore = new Date('2026-10-05T09:29:27Z')
const notAfter = new Date('2027-01-03T09:29:26Z')
const sha256 = (b: Uint8Array) => createHash('sha256').update(b).digest('hex')

describe('the DER writer', () => {
  const table: readonly [string, Buffer, string][] = [
    ['zero', integer(0), '020100'],
    ['the sign bit costs a byte', integer(128), '02020080'],
    ['two bytes', integer(256), '02020100'],
    ['an arc over 127', oid('1.2.840.113549'), '06062a864886f70d'],
    ['a long length', tlv(4, Buffer.alloc(200)).subarray(0, 3), '0481c8'],
    ['a longer one', tlv(4, Buffer.alloc(300)).subarray(0, 4), '0482012c'],
    ['an empty sequence', sequence(), '3000'],
    ['UTCTime', time(new Date('2049-12-31T23:59:59.999Z')), `170d${Buffer.from('491231235959Z').toString('hex')}`],
    ['GeneralizedTime from 2050', time(new Date('2050-01-01T00:00:00Z')), `180f${Buffer.from('20500101000000Z').toString('hex')}`],
  ]
  for (const [what, bytes, hex] of table) it(what, () => assert.equal(bytes.toString('hex'), hex))
})

describe('makeCertificate', () => {
  for (const key of ['p256', 'rsa'] as const)
    it(`is read by node:crypto, with a ${key} key`, () => {
      const names = ['login.example.com', '*.example.net']
      const made = makeCertificate({ names, ips: ['203.0.113.7', '2001:db8::1'], notBefore, notAfter, key })
      const read = new X509Certificate(made.der)
      assert.equal(read.subjectAltName, 'DNS:login.example.com, DNS:*.example.net, IP Address:203.0.113.7, IP Address:2001:DB8:0:0:0:0:0:1')
      assert.equal(read.issuer, "C=US\nO=Let's Encrypt\nCN=YR2")
      assert.equal(read.subject, 'CN=login.example.com')
      assert.equal(read.validFromDate.toISOString(), '2026-10-05T09:29:27.000Z')
      assert.equal(read.validToDate.toISOString(), '2027-01-03T09:29:26.000Z')
      assert.equal(read.serialNumber.toLowerCase(), made.serial)
      assert.equal(read.fingerprint256.replaceAll(':', '').toLowerCase(), made.certSha256)
      assert.equal(sha256(read.publicKey.export({ type: 'spki', format: 'der' })), made.pubkeySha256)
      assert.equal(read.publicKey.asymmetricKeyType, key === 'rsa' ? 'rsa' : 'ec')
      assert.equal(read.ca, false)
      assert.deepEqual(read.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    })

  it('hashes the TBS without poison or SCT list: precertificate and certificate agree', () => {
    const { precertificate, certificate } = makePair({ names: ['a.example.com'], notBefore, notAfter })
    assert.equal(precertificate.tbsSha256, certificate.tbsSha256)
    assert.notEqual(precertificate.certSha256, certificate.certSha256)
    assert.equal(precertificate.serial, certificate.serial)
    // 1.3.6.1.4.1.11129.2.4.3 and .2
    assert.ok(precertificate.der.includes(Buffer.from('060a2b06010401d679020403', 'hex')))
    assert.ok(certificate.der.includes(Buffer.from('060a2b06010401d679020402', 'hex')))
    assert.ok(!certificate.der.includes(Buffer.from('060a2b06010401d679020403', 'hex')))
  })

  it('is the same again with the same seed, and never without one', () => {
    const make = (seed?: string) =>
      makeCertificate({ names: ['a.example'], notBefore, notAfter, ...(seed === undefined ? {} : { random: seeded(seed) }) })
    assert.deepEqual(make('1').der, make('1').der)
    assert.notEqual(make('1').tbsSha256, make('2').tbsSha256)
    assert.notEqual(make().tbsSha256, make().tbsSha256)
    assert.notEqual(make().pubkeySha256, make().pubkeySha256)
  })

  it('takes 2,000 names, and names of any text', () => {
    const names = [...Array.from({ length: 2000 }, (_, i) => `host-${i}.example.com`), '<!channel>', 'a\0b']
    const made = makeCertificate({ names, notBefore, notAfter })
    assert.ok(made.der.includes(Buffer.from('<!channel>')))
    assert.match(new X509Certificate(made.der).subjectAltName ?? '', /host-1999\.example\.com/)
  })

  it('writes a name with a comma in quotes, as the API does', () => {
    assert.equal(nameText([['C', 'US'], ['O', 'Cloudflare, Inc.'], ['CN', 'CA-3']]), 'C=US, O="Cloudflare, Inc.", CN=CA-3') // prettier-ignore
  })
})

describe('makeIssuance', () => {
  it('has every field of the real API, true to the certificate', () => {
    const ids = createIds()
    const issuance = makeIssuance({ id: ids(), names: ['QA.Example.com', 'qa.example.com'], notBefore, issuer: SECTIGO_ISSUER, key: 'rsa' })
    const expected = ['cert', 'cert_der', 'cert_sha256', 'dns_names', 'id', 'issuer', 'not_after', 'not_before', 'problem_reporting', 'pubkey', 'pubkey_der', 'pubkey_sha256', 'revocation', 'revoked', 'tbs_sha256'] // prettier-ignore
    assert.deepEqual(Object.keys(issuance).sort(), expected)
    assert.equal(issuance.id, '17597250121')
    assert.equal(ids(), '17597250128')
    assert.equal(issuance.not_after, '2027-01-03T09:29:26Z')
    assert.equal(sha256(Buffer.from(String(issuance['cert_der']), 'base64')), issuance.cert_sha256)
    assert.equal(sha256(Buffer.from(String(issuance['pubkey_der']), 'base64')), issuance.pubkey_sha256)
  })
})
