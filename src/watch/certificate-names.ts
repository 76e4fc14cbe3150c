// The names of a certificate that was read, for people and for matching. All of them are a stranger's words.
import type { Certificate } from '../ct/certificate.ts'
import { displayName, fromLatin1, halves, nameTextsOf, textReadings } from './name.ts'

/** Every dNSName and every common name, in each way that its bytes can be read, in the certificate's order. Not cleaned. */
export function namesOf(certificate: Certificate): readonly string[] {
  return [...certificate.dnsNames.flatMap(textReadings), ...certificate.commonNames]
}

/**
 * The names that a matcher is asked about: each dNSName in as few ways as nameReadings needs, and of the common names what
 * may be a host's. Browsers ignore common names, older entries and other clients do not.
 */
export function hostNamesOf(certificate: Certificate): readonly string[] {
  return [...certificate.dnsNames.flatMap(nameTextsOf), ...certificate.commonNames.flatMap(hostsInCommonName)]
}

/** Names for people and for comparing, each once, in their order; empty ones are left out. */
export function cleanNames(names: readonly string[]): readonly string[] {
  const clean: string[] = []
  for (const name of names) {
    const shown = displayName(name)
    // The list is searched while it is short: a set costs more than the few names of nearly every certificate.
    if (shown !== '' && (names.length > 8 || !clean.includes(shown))) clean.push(shown)
  }
  return names.length > 8 ? [...new Set(clean)] : clean
}

// With a space in it a common name is a person's or a company's, and no name: `Acme Corp`. What stands before a NUL or a slash is another
// reading, and has to be judged for itself: `example.com/Acme Corp`.
function hostsInCommonName(text: string): readonly string[] {
  const whole = displayName(text)
  if (!whole.includes(' ')) return [text]
  const parts = [text, fromLatin1(text) ?? ''].flatMap((each) =>
    halves(each.trim().replace(/^https?:\/\//i, ''), '\0').flatMap((half) => halves(half, '/')),
  )
  return parts.filter((part, n) => {
    const name = displayName(part)
    return name !== '' && !name.includes(' ') && parts.indexOf(part) === n
  })
}
