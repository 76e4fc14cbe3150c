// Names as certificates have them, read so that nothing slips by. Whoever has a certificate issued may put anything there: a URL, a NUL, blanks, a
// trailing dot, UTF-8 or Latin-1 where ASCII belongs. Each way in which some client might understand a name is one reading of it.
import { decodeLatin1, readLooseText } from '../ct/text.ts'
import { decodePunycode, encodePunycode } from './punycode.ts'

/** One label of a reading, lower-case and in ASCII: text, a wildcard (`*`, `w*w`), `?` as redacted certificates have it, or UNPARSABLE. */
export type Label = string

/** Stands for a label that is no text at all: it may be any. The Cert Spotter API writes it so as well. */
export const UNPARSABLE: Label = '<unparsable>'

// What nearly every name is already: nothing to strip, nothing to lower.
const PLAIN = /^[a-z0-9*_-][a-z0-9*_.-]*[a-z0-9*_-]$/

// What IDNA leaves out (UTS 46, table "ignored"): a soft hyphen, joiners of words, marks that choose a form.
const IGNORED = /\u00ad|\u034f|[\u180b-\u180d\u180f]|\u200b|\u2060|\u2064|[\ufe00-\ufe0f]|\ufeff/g
// The dots that IDNA takes for one (UTS 46, section 4.5).
const OTHER_DOTS = /[\u3002\uff0e\uff61]/g
const NOT_ASCII = /[^\u0000-\u007f]/
const C1 = /[\u0080-\u009f]/
// No letters of any encoding: a label that is not ASCII and has one of these cannot be a name's.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

const PRINTABLE = /^[\t -~]*$/
/** No name has more: 253 octets. */
const MOST_LABELS = 128

/** Is it ASCII without controls? A tab is let be. */
export function isPrintableAscii(text: string): boolean {
  return PRINTABLE.test(text)
}

/** The name for people and for comparing: lower-case, without blanks around it and without trailing dots; otherwise as it is, so hostile. */
export function displayName(raw: string): string {
  if (PLAIN.test(raw)) return raw
  let name = raw.trim()
  while (name.endsWith('.')) name = name.slice(0, -1).trimEnd()
  return name.toLowerCase()
}

/** As displayName, but each label that has a C1 control in it is UNPARSABLE: mostly UTF-8 that was read as Latin-1, which nobody can read. */
export function matchedName(raw: string): string {
  const name = displayName(raw)
  if (!C1.test(name)) return name
  return name
    .split('.')
    .map((label) => (C1.test(label) ? UNPARSABLE : label))
    .join('.')
}

/** What a certificate's bytes say: ASCII, or UTF-8 (if it is) and Latin-1 both. */
export function textReadings(bytes: Uint8Array): readonly string[] {
  return readLooseText(bytes)
}

/**
 * What a certificate's bytes say, for nameReadings. That finds the other encoding from either, except where Latin-1 has C1 controls: such a label may be any,
 * so it is asked about only where the encoding is open. A UTF8String is UTF-8, and common names in Cyrillic or Chinese must not ring for everyone.
 */
export function nameTextsOf(bytes: Uint8Array): readonly string[] {
  const readings = readLooseText(bytes)
  return readings.length === 1 ? readings : readings.filter((text, n) => n === 0 || C1.test(text))
}

/**
 * Every reading of a certificate's name, each as its labels from left to right, the last 128 of them: no item has as many. None of an empty name.
 * With and without what comes after a NUL and after a slash, without `http://`; one that is not ASCII also as the other encoding and as IDNA maps it.
 */
export function nameReadings(raw: string): readonly (readonly Label[])[] {
  // The hot path: nearly every name there is.
  if (/^[a-zA-Z0-9*_-]+(?:\.[a-zA-Z0-9*_-]+)*$/.test(raw)) return [labelsOf(raw.toLowerCase())]
  const found = new Map<string, readonly Label[]>()
  for (const text of nameTexts(raw)) {
    const parts = labelsOf(text)
    const add = (labels: readonly Label[]): void => void found.set(labels.join('.'), labels)
    add(parts.map(toLabel))
    // Whoever encodes what is not normalized gets another A-label.
    if (NOT_ASCII.test(text) && text !== text.normalize('NFC'))
      add(parts.map((part) => (NOT_ASCII.test(part) ? encodeLabel(part) : toLabel(part)) ?? UNPARSABLE))
  }
  return [...found.values()]
}

/** One reading of a name of which all would be too much: what is not printable ASCII is UNPARSABLE, so no item that it ends in is missed. */
export function roughReading(raw: string): readonly Label[] {
  return labelsOf(displayName(raw)).map((label) => (PRINTABLE.test(label) ? label : UNPARSABLE))
}

// An array of millions of labels would be all that a name of dots has to offer.
function labelsOf(text: string): string[] {
  if (text.length <= 253) return text.split('.')
  const labels: string[] = []
  for (let end = text.length; end >= 0 && labels.length < MOST_LABELS;) {
    const dot = end === 0 ? -1 : text.lastIndexOf('.', end - 1)
    labels.push(text.slice(dot + 1, end))
    end = dot
  }
  return labels.reverse()
}

/** The texts that a name may stand for, cleaned, before they are cut into labels: for looking whether one is an IP address. */
function nameTexts(raw: string): readonly string[] {
  const texts = new Set<string>()
  const add = (text: string): void => {
    const cleaned = displayName(text)
    if (cleaned !== '') texts.add(cleaned)
    // Some look for blanks once, and then a line break before the last dot is part of the label.
    const trimmed = text.trim()
    let end = trimmed.length
    while (trimmed[end - 1] === '.') end--
    if (/\s/.test(trimmed[end - 1] ?? '')) texts.add(trimmed.slice(0, end).toLowerCase())
    // Some skip NULs at the start.
    if (cleaned.startsWith('\0')) add(cleaned.replace(/^[\s\0]+/, ''))
  }
  for (const encoded of NOT_ASCII.test(raw) ? encodings(raw) : [raw]) {
    const whole = encoded.trim().replace(/^https?:\/\//i, '')
    // A client in C stops at the NUL; a person stops at the slash.
    for (const half of halves(whole, '\0')) for (const quarter of halves(half, '/')) add(quarter)
  }
  return [...texts]
}

/** A text, and what stands in it before the first of these characters, if there is one. */
export function halves(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text]
}

/** What bytes say as UTF-8, with U+FFFD for what is none, that were read as Latin-1; undefined if they cannot have been, or are ASCII. */
export function fromLatin1(text: string): string | undefined {
  return NOT_ASCII.test(text) && !/[^\u0000-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : undefined
}

// The text itself; as IDNA would map it (full-width letters, ideographic dots); and, if it may be UTF-8 that was read as Latin-1 or the reverse, undone:
// one label's bad UTF-8 does not spoil the others. C1 controls that come of undoing say that there was nothing to undo.
function encodings(raw: string): readonly string[] {
  const out = [raw]
  const utf8 = fromLatin1(raw)
  if (utf8 !== undefined) out.push(utf8)
  const latin1 = decodeLatin1(Buffer.from(raw, 'utf8'))
  if (!C1.test(latin1)) out.push(latin1)
  return [...out, ...out.map((text) => text.replace(OTHER_DOTS, '.').replace(IGNORED, '').normalize('NFKC'))]
}

function toLabel(text: string): Label {
  if (!NOT_ASCII.test(text)) return PRINTABLE.test(text) ? text : UNPARSABLE
  return toALabel(text) ?? UNPARSABLE
}

// NFC, as the same letters may be composed or not; lower-case before and after, as either may undo the other.
function toALabel(label: string): string | undefined {
  const mapped = label.toLowerCase().normalize('NFC').toLowerCase()
  if (!CONTROL.test(mapped) && !NOT_ASCII.test(mapped)) return mapped
  return encodeLabel(mapped)
}

// Of a star's place among the letters Punycode says nothing: `*日本` may be any label, too.
function encodeLabel(label: string): string | undefined {
  const encoded = CONTROL.test(label) || label.includes('*') ? undefined : encodePunycode(label)
  return encoded === undefined ? undefined : `xn--${encoded}`
}

/** A name with each label that is not ASCII turned into its A-label (lower-case, NFC); undefined if one has none. Other labels stay verbatim. */
export function toALabels(name: string): string | undefined {
  const labels = name.split('.').map((label) => (NOT_ASCII.test(label) ? toALabel(label) : label))
  return labels.includes(undefined) ? undefined : labels.join('.')
}

/** A name with each A-label that stands for something turned into Unicode, for the eye only; an invalid one stays verbatim. */
export function toUnicode(name: string): string {
  if (!name.includes('xn--')) return name
  return name
    .split('.')
    .map((label) => {
      if (!label.startsWith('xn--')) return label
      const decoded = decodePunycode(label.slice(4))
      // Only what comes back as it was: the rest is a trick or a fault, and showing it as letters would help it.
      return decoded !== undefined && NOT_ASCII.test(decoded) && !/[\p{C}\p{Z}.\u3002\uff0e\uff61]/u.test(decoded) && toALabel(decoded) === label
        ? decoded
        : label
    })
    .join('.')
}
