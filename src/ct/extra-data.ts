// What an RFC 6962 log sends along with a leaf and does not sign.
//
//   x509:    ASN.1Cert certificate_chain<0..2^24-1>;
//   precert: ASN.1Cert pre_certificate; ASN.1Cert precertificate_chain<0..2^24-1>;      -- RFC 6962, section 4.6
import { ParseError } from './errors.ts'
import { tlsReader } from './tls.ts'

/** Views of the bytes that were read. The chain begins with who certified the leaf. */
export interface ExtraData {
  /** The precertificate as it was submitted, with poison and signature; of a precert entry alone. */
  readonly precertificate: Uint8Array | undefined
  readonly chain: readonly Uint8Array[]
}

/** Certificates of a chain. Logs take some five; it is not signed, and packed kilobytes may hold millions of empty ones. */
const MOST_CHAIN = 1000

/** Reads extra_data. Throws ParseError. */
export function readExtraData(extraData: Uint8Array, type: 'x509' | 'precert'): ExtraData {
  const reader = tlsReader(extraData)
  const precertificate = type === 'precert' ? reader.vector(3, 'pre_certificate') : undefined
  const certificates = tlsReader(reader.vector(3, 'certificate_chain'))
  reader.end('extra_data')
  const chain: Uint8Array[] = []
  while (!certificates.atEnd()) {
    if (chain.length === MOST_CHAIN) throw new ParseError('value', 'certificate_chain', 0, `holds more than ${MOST_CHAIN} certificates`)
    chain.push(certificates.vector(3, 'ASN.1Cert'))
  }
  return { precertificate, chain }
}
