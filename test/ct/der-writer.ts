// DER for tests, as naive as can be, so that odd certificates can be made byte by byte.

export type Bytes = Uint8Array

export function el(tag: number, ...parts: readonly (Bytes | string)[]): Bytes {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
  const n = content.length
  const header =
    n < 128 ? [tag, n] : n < 256 ? [tag, 0x81, n] : n < 65_536 ? [tag, 0x82, n >> 8, n & 255] : [tag, 0x83, n >> 16, (n >> 8) & 255, n & 255]
  return Buffer.concat([Buffer.from(header), content])
}

export const seq = (...parts: readonly (Bytes | string)[]): Bytes => el(0x30, ...parts)
export const hex = (text: string): Bytes => Buffer.from(text, 'hex')

export const OID_CN = hex('0603550403')
export const attribute = (oid: Bytes, tag: number, value: Bytes | string): Bytes => seq(oid, el(tag, value))
export const rdn = (...attributes: readonly Bytes[]): Bytes => el(0x31, ...attributes)
export const cn = (value: Bytes | string, tag = 12): Bytes => rdn(attribute(OID_CN, tag, value))

export const extension = (oid: Bytes, value: Bytes): Bytes => seq(oid, el(4, value))
export const POISON = seq(hex('060a2b06010401d679020403'), hex('0101ff'), hex('04020500'))
export const SCT_LIST = extension(hex('060a2b06010401d679020402'), el(4, 'not looked into'))
export const san = (...names: readonly Bytes[]): Bytes => extension(hex('0603551d11'), seq(...names))
export const dns = (name: Bytes | string): Bytes => el(0x82, name)

export interface Parts {
  readonly serial?: Bytes
  readonly issuer?: Bytes
  readonly subject?: Bytes
  readonly notBefore?: Bytes
  readonly notAfter?: Bytes
  readonly spki?: Bytes
  readonly extensions?: readonly Bytes[]
  readonly more?: Bytes
}

const P256 = seq(seq(hex('06072a8648ce3d0201'), hex('06082a8648ce3d030107')), el(3, '\0', Buffer.alloc(65, 4)))

export function tbs(parts: Parts = {}): Bytes {
  const { extensions = [san(dns('www.example.com'))] } = parts
  return seq(
    hex('a003020102'),
    el(2, parts.serial ?? hex('0102')),
    seq(hex('06082a8648ce3d040302')),
    parts.issuer ?? seq(cn('Test CA')),
    seq(parts.notBefore ?? el(23, '260101000000Z'), parts.notAfter ?? el(23, '261231235959Z')),
    parts.subject ?? seq(),
    parts.spki ?? P256,
    ...(extensions.length === 0 ? [] : [el(0xa3, seq(...extensions))]),
    parts.more ?? '',
  )
}

export function certificate(parts: Parts = {}): Bytes {
  return seq(tbs(parts), seq(hex('06082a8648ce3d040302')), hex('03020000'))
}
