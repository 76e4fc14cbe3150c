import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { readCertificate } from '../../src/ct/certificate.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { readMerkleTreeLeaf } from '../../src/ct/leaf.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { issuanceId } from '../../src/ct/tbs.ts'
import { createAuthority } from '../../src/sandbox/ct-authority.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { oddSubmissions } from '../../src/sandbox/ct-oddities.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { SECTIGO_ISSUER } from '../../src/sandbox/issuance.ts'

const notBefore = new Date('2026-10-05T09:29:27Z')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('issuing into logs', () => {
  for (const issuer of [undefined, SECTIGO_ISSUER])
    it(`is one issuance everywhere${issuer === undefined ? '' : ', whoever issues'}`, () => {
      const logs = [createCtLog({ name: 'a' }), createCtLog({ name: 'b', leafIndexes: false })]
      const twins = issueTwins(logs, { names: ['login.example.com'], ips: ['203.0.113.7'], notBefore, ...(issuer === undefined ? {} : { issuer }) })
      twins.logCertificate(logs)
      const id = twins.precertificate.tbsSha256
      for (const log of logs) {
        const [precert, x509] = [0, 1].map((n) => readMerkleTreeLeaf(log.entry(n).leafInput))
        assert.deepEqual([sha256(precert!.der), issuanceId(x509!.der)], [id, id])
      }
      for (const knows of ['precertificate', 'certificate'] as const) {
        const issuance = twins.issuance('17', knows)
        const der = Buffer.from(String(issuance['cert_der']), 'base64')
        assert.deepEqual([issuance.tbs_sha256, issuanceId(der)], [id, id])
        assert.equal(readCertificate(der).precertificate, knows === 'precertificate')
        assert.deepEqual([issuance.cert_sha256, issuance.dns_names], [sha256(der), ['login.example.com']])
        assert.equal(readCertificate(der).issuer, (issuance['issuer'] as { name: string }).name)
      }
    })

  it('has SCTs in the certificate that the logs signed: over the leaf, byte for byte', () => {
    const logs = [createCtLog({ name: 'a' }), createCtLog({ name: 'b', leafIndexes: false })]
    const { scts, certificate } = issueTwins(logs, { names: ['login.example.com'], notBefore })
    for (const [n, log] of logs.entries()) {
      const sct = scts[n]!.bytes
      assert.ok(certificate.der.includes(sct))
      assert.deepEqual(sct.subarray(1, 33), log.keys.id)
      // Version, log id, timestamp, extensions with their length; then algorithms and length of the signature.
      const signature = sct.subarray(43 + sct.readUInt16BE(41) + 4)
      const key = createPublicKey({ key: log.keys.spki, format: 'der', type: 'spki' })
      assert.ok(verify('sha256', log.entry(0).leafInput, key, signature))
    }
  })

  it('makes odd ones: for the name in a way that a reader can find, or unreadable', () => {
    const authority = createAuthority()
    const log = createCtLog({ name: 'odd' })
    for (const { what, submission, readable } of oddSubmissions(authority, 'login.example.com', '203.0.113.7', notBefore)) {
      const { index } = log.add(submission)
      const { der } = readMerkleTreeLeaf(log.entry(index).leafInput)
      if (readable) {
        const { commonNames, dnsNames, ipAddresses, namesHidden } = readCertificate(der)
        const names = [...commonNames, ...dnsNames.map((name) => Buffer.from(name).toString())].join(' ').toLowerCase()
        assert.ok(names.includes('login.example.com') || Buffer.from(ipAddresses[0] ?? '').equals(Buffer.of(203, 0, 113, 7)), what)
        assert.ok(!namesHidden, what)
      } else assert.throws(() => readCertificate(der), ParseError, what)
    }
    const derOf = (what: string) => {
      const { submission } = oddSubmissions(authority, 'login.example.com', '203.0.113.7', notBefore).find((each) => each.what === what)!
      return ('precertificate' in submission ? submission.precertificate : submission.certificate).der
    }
    const san = (what: string) => readCertificate(derOf(what))
    assert.equal(san('no SAN, the name as CN').dnsNames.length, 0)
    assert.equal(san('repeated SAN extension').dnsNames.length, 2)
    assert.deepEqual(san('several CNs').commonNames, ['other.test', 'login.example.com', 'third.test'])
    assert.deepEqual([san('an IP address alone').dnsNames, san('an IP address alone').commonNames], [[], []])
    assert.ok(derOf('a stray byte after the SAN').includes('login.example.com\0'))
  })

  it('writes a serial number where it belongs, in every form of the entry', () => {
    const authority = createAuthority()
    const { precertificate, certificate } = authority.issue({ names: ['a.example'], notBefore })
    for (const leafIndexes of [true, false])
      for (const made of [{ precertificate }, { certificate }]) {
        const log = createCtLog({ name: 'x', leafIndexes, clock: () => 1_764_000_000_000 })
        const submission = { ...made, chain: authority.chain }
        const forms = (index: number) => {
          const { leafInput, extraData, tileLeaf } = log.entry(index)
          return { leafInput, extraData, tileLeaf }
        }
        log.addMany(1, [submission], 0xa1b2c3)
        log.addMany(1, [submission], Number.parseInt(certificate.serial.slice(-12), 16))
        log.add(submission, leafIndexes ? { leafIndex: 1 } : {})
        assert.deepEqual(forms(1), forms(2), 'its own serial number changes nothing')
        const { der } = readMerkleTreeLeaf(log.entry(0).leafInput)
        assert.equal(readCertificate(der).serial, `${certificate.serial.slice(0, -12)}000000a1b2c3`)
        assert.equal(log.entry(0).tileLeaf.indexOf('000000a1b2c3', 'hex') > 0, true)
        assert.equal(log.entry(0).extraData.includes(Buffer.from('000000a1b2c3', 'hex')), 'precertificate' in made)
      }
  })

  it('logs an entry of a type that nobody knows', () => {
    const log = createCtLog({ name: 'new' })
    const authority = createAuthority()
    log.add({ certificate: authority.issue({ names: ['a.example'], notBefore }).certificate, chain: authority.chain, entryType: 7 })
    const { leafInput } = log.entry(0)
    assert.throws(() => readMerkleTreeLeaf(leafInput), { name: 'ParseError', message: /entry_type/ })
    assert.deepEqual(log.tree.root(1), leafHash(leafInput))
  })
})
