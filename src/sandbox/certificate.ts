// Certificates that look like those of a public CA in every extension, for the demo, the tests and the benchmarks.
import { createECDH, createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { NULL, TRUE, bitString, integer, octetString, oid, printableString, sequence, set, time, tlv, utf8String } from './der.ts'
import { seeded, systemRandom, type RandomBytes } from './random.ts'

/** A distinguished name, most general part first: `[['C','US'],['O',"Let's Encrypt"],['CN','YR2']]`. */
export type DistinguishedName = readonly (readonly ['C' | 'O' | 'CN', string])[]

export interface CertificateOptions {
  /** dNSNames, as they are: nothing is checked, so that hostile ones can be made. */
  readonly names: readonly string[]
  /** IP addresses as text, v4 or v6. */
  readonly ips?: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
  /** Not negative; random 128 bits if absent. */
  readonly serial?: bigint
  readonly issuer?: DistinguishedName
  readonly key?: 'p256' | 'rsa'
  /** With the CT poison in place of an SCT list. */
  readonly precertificate?: boolean
  /** SCTs of real logs for the SCT list; two that only look like SCTs if absent. */
  readonly scts?: readonly Uint8Array[]
  /** CNs of the subject, one RDN each; the first name that fits if absent. */
  readonly commonNames?: readonly string[]
  /** What is odd about the subject alternative names; see SanOddity. */
  readonly san?: SanOddity
  readonly random?: RandomBytes
}

/** `absent`: no such extension. `repeated`: one extension for each name. `stray-byte`: a zero byte after the names, inside the extension's value. */
export type SanOddity = 'absent' | 'repeated' | 'stray-byte'

/** Hashes are lower-case hex. `serial` is hex as the DER integer has it, its leading zero byte dropped. */
export interface MadeCertificate {
  readonly der: Buffer
  /** The TBSCertificate without poison and SCT list: what a log signs of a precertificate. */
  readonly tbs: Buffer
  /** Of the TBSCertificate built without poison and SCT list: the same for a precertificate and its certificate. */
  readonly tbsSha256: string
  readonly certSha256: string
  readonly pubkeySha256: string
  readonly pubkeyDer: Buffer
  readonly serial: string
}

/** The issuer when none is given. */
export const LETS_ENCRYPT: DistinguishedName = [
  ['C', 'US'],
  ['O', "Let's Encrypt"],
  ['CN', 'YR2'],
]

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const AUTHORITY = createHash('sha1').update('certbell sandbox CA').digest()
const ATTRIBUTE = { C: '2.5.4.6', O: '2.5.4.10', CN: '2.5.4.3' }

/** One certificate. Its own key is a real one, its signature is not. With a seeded `random` it is the same again, byte for byte. */
export function makeCertificate(options: CertificateOptions): MadeCertificate {
  const random = options.random ?? systemRandom
  const serial = options.serial ?? BigInt(`0x4${random(16).toString('hex').slice(1)}`)
  const spki = options.key === 'rsa' ? rsaKey(random) : p256Key(random)
  const name = distinguishedName(options.issuer ?? LETS_ENCRYPT)
  const plain = extensions(options, spki)
  const special = options.precertificate === true ? poison() : sctList(options.scts ?? [fakeSct(random), fakeSct(random)])

  const tbs = (list: readonly Buffer[]) =>
    sequence(
      tlv(0xa0, integer(2)),
      integer(serial),
      ECDSA_SHA256,
      name,
      sequence(time(options.notBefore), time(options.notAfter)),
      subject(options),
      spki,
      tlv(0xa3, sequence(...list)),
    )

  // Where the special one stands must not matter to a reader, so it stands in the middle.
  const whole = tbs([...plain.slice(0, 6), special, ...plain.slice(6)])
  const der = sequence(whole, ECDSA_SHA256, bitString(fakeSignature(random)))
  const digits = serial.toString(16)
  const logged = tbs(plain)
  return {
    der,
    tbs: logged,
    tbsSha256: sha256(logged),
    certSha256: sha256(der),
    pubkeySha256: sha256(spki),
    pubkeyDer: spki,
    serial: digits.length % 2 === 1 ? `0${digits}` : digits,
  }
}

/** A precertificate and the certificate made from it: two encodings of one issuance. */
export interface Pair {
  readonly precertificate: MadeCertificate
  readonly certificate: MadeCertificate
  /** The certificate with these SCTs, which logs gave for the precertificate. */
  withScts(scts: readonly Uint8Array[]): MadeCertificate
}

/** Makes both. */
export function makePair(options: Omit<CertificateOptions, 'precertificate'>): Pair {
  const seed = (options.random ?? systemRandom)(32).toString('hex')
  return {
    precertificate: makeCertificate({ ...options, precertificate: true, random: seeded(seed) }),
    certificate: makeCertificate({ ...options, precertificate: false, random: seeded(seed) }),
    withScts: (scts) => makeCertificate({ ...options, precertificate: false, scts, random: seeded(seed) }),
  }
}

/** A CA's certificate. Its subject key identifier is what certificates made here name as their authority's. */
export function makeAuthorityCertificate(
  subject: DistinguishedName,
  issuer: DistinguishedName,
  random: RandomBytes,
): { readonly der: Buffer; readonly pubkeyDer: Buffer } {
  const pubkeyDer = p256Key(random)
  const tbs = sequence(
    tlv(0xa0, integer(2)),
    integer(BigInt(`0x4${random(16).toString('hex').slice(1)}`)),
    ECDSA_SHA256,
    distinguishedName(issuer),
    sequence(time(new Date('2020-01-01T00:00:00Z')), time(new Date('2040-01-01T00:00:00Z'))),
    distinguishedName(subject),
    pubkeyDer,
    tlv(
      0xa3,
      sequence(
        extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), true),
        extension('2.5.29.19', sequence(TRUE), true),
        extension('2.5.29.14', octetString(AUTHORITY)),
      ),
    ),
  )
  return { der: sequence(tbs, ECDSA_SHA256, bitString(fakeSignature(random))), pubkeyDer }
}

/** The name as the API writes it: `C=US, O=Let's Encrypt, CN=YR2`, values with a comma or quote in quotes. */
export function nameText(name: DistinguishedName): string {
  return name.map(([k, v]) => `${k}=${/[",+;<>\\]/.test(v) ? `"${v.replaceAll(/(["\\])/g, '\\$1')}"` : v}`).join(', ')
}

/** The name in DER. */
export function distinguishedName(name: DistinguishedName): Buffer {
  return sequence(...name.map(([k, v]) => set(sequence(oid(ATTRIBUTE[k]), k === 'C' ? printableString(v) : utf8String(v)))))
}

function subject({ names, commonNames }: CertificateOptions): Buffer {
  if (commonNames !== undefined) return distinguishedName(commonNames.map((cn) => ['CN', cn]))
  // A CN holds 64 characters at most; CAs leave the subject empty then.
  const cn = names.find((n) => n.length > 0 && n.length <= 64)
  return cn === undefined ? sequence() : distinguishedName([['CN', cn]])
}

function extensions(options: CertificateOptions, spki: Buffer): readonly Buffer[] {
  const general = [...options.names.map((n) => tlv(0x82, Buffer.from(n, 'utf8'))), ...(options.ips ?? []).map((ip) => tlv(0x87, ipBytes(ip)))]
  const uri = (text: string) => tlv(0x86, Buffer.from(text, 'latin1'))
  return [
    extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), true),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.14', octetString(sha1(spki))),
    extension('2.5.29.35', sequence(tlv(0x80, AUTHORITY))),
    extension('1.3.6.1.5.5.7.1.1', sequence(sequence(oid('1.3.6.1.5.5.7.48.2'), uri('http://ca.sandbox.example/ca.der')))),
    ...alternativeNames(general, options.san),
    extension('2.5.29.32', sequence(sequence(oid('2.23.140.1.2.1')))),
    extension('2.5.29.31', sequence(sequence(tlv(0xa0, tlv(0xa0, uri('http://ca.sandbox.example/27.crl')))))),
  ]
}

function alternativeNames(names: readonly Buffer[], oddity: SanOddity | undefined): readonly Buffer[] {
  switch (oddity) {
    case 'absent':
      return []
    case 'repeated':
      return names.map((name) => extension('2.5.29.17', sequence(name)))
    case 'stray-byte':
      return [extension('2.5.29.17', Buffer.concat([sequence(...names), Buffer.of(0)]))]
    case undefined:
      return [extension('2.5.29.17', sequence(...names))]
  }
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return critical ? sequence(oid(id), TRUE, octetString(value)) : sequence(oid(id), octetString(value))
}

function poison(): Buffer {
  return extension('1.3.6.1.4.1.11129.2.4.3', NULL, true)
}

function sctList(scts: readonly Uint8Array[]): Buffer {
  const list = Buffer.concat(scts.flatMap((sct) => [u16(sct.length), sct]))
  return extension('1.3.6.1.4.1.11129.2.4.2', octetString(u16(list.length), list))
}

/** An SCT in form: version, log id, timestamp, no extensions, ECDSA signature of random bytes. */
function fakeSct(random: RandomBytes): Buffer {
  const signature = fakeSignature(random)
  return Buffer.concat([Buffer.of(0), random(32), Buffer.from('0000019b00000000', 'hex'), Buffer.of(0, 0, 4, 3), u16(signature.length), signature])
}

function fakeSignature(random: RandomBytes): Buffer {
  return sequence(integer(BigInt(`0x1${random(31).toString('hex')}`)), integer(BigInt(`0x1${random(31).toString('hex')}`)))
}

function u16(n: number): Buffer {
  return Buffer.from([Math.floor(n / 256), n % 256])
}

// ECDH takes the private key as bytes, so that a seeded one gives the same point again; generateKeyPair would not.
function p256Key(random: RandomBytes): Buffer {
  const ecdh = createECDH('prime256v1')
  // The first byte is kept below the group order's.
  ecdh.setPrivateKey(Buffer.concat([Buffer.from([1]), random(31)]))
  return sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(ecdh.getPublicKey()))
}

// A modulus of 2,048 random bits: readers look at its length alone.
function rsaKey(random: RandomBytes): Buffer {
  const bytes = random(256)
  bytes[0] = bytes[0]! | 0x80
  bytes[255] = bytes[255]! | 1
  const n = BigInt(`0x${bytes.toString('hex')}`)
  return sequence(sequence(oid('1.2.840.113549.1.1.1'), NULL), bitString(sequence(integer(n), integer(65_537))))
}

function ipBytes(ip: string): Buffer {
  if (isIP(ip) === 4) return Buffer.from(ip.split('.').map(Number))
  if (isIP(ip) !== 6 || ip.includes('.')) throw new RangeError(`not an IP address that the sandbox can write: ${ip}`)
  const [head = '', tail] = ip.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return Buffer.from(all.map((g) => g.padStart(4, '0')).join(''), 'hex')
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest()
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
