// Punycode (RFC 3492), one label at a time. node:punycode is deprecated, and url.domainToASCII refuses names that certificates really have.

const BASE = 36
const TMIN = 1
const TMAX = 26
const SKEW = 38
const DAMP = 700
const INITIAL_BIAS = 72
const INITIAL_N = 128

// What no code point passes: a sum beyond it is an overflow (RFC 3492, section 6.4), whatever Number could still hold.
const MAX_INT = 0x7fffffff
// Both ways are quadratic in the worst case. DNS allows labels of 63 octets and names of 255.
const MAX_LENGTH = 255

function adapt(delta: number, points: number, first: boolean): number {
  let rest = first ? Math.floor(delta / DAMP) : Math.floor(delta / 2)
  rest += Math.floor(rest / points)
  let k = 0
  for (; rest > ((BASE - TMIN) * TMAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - TMIN))
  return k + Math.floor(((BASE - TMIN + 1) * rest) / (rest + SKEW))
}

function threshold(k: number, bias: number): number {
  return Math.min(TMAX, Math.max(TMIN, k - bias))
}

function digit(value: number): string {
  return String.fromCharCode(value < 26 ? 97 + value : 22 + value)
}

function valueOf(code: number): number {
  if (code >= 97 && code <= 122) return code - 97
  if (code >= 65 && code <= 90) return code - 65
  return code >= 48 && code <= 57 ? code - 22 : BASE
}

/** A label's Punycode, without `xn--`; undefined of what is longer than 255 code points or holds a lone surrogate. */
export function encodePunycode(label: string): string | undefined {
  const points = Array.from(label, (c) => c.codePointAt(0) ?? 0)
  if (points.length > MAX_LENGTH || points.some((point) => point >= 0xd800 && point <= 0xdfff)) return undefined
  let out = String.fromCharCode(...points.filter((point) => point < INITIAL_N))
  const basic = out.length
  let handled = basic
  if (basic > 0) out += '-'
  let n = INITIAL_N
  let delta = 0
  let bias = INITIAL_BIAS
  const rising = [...new Set(points)].filter((point) => point >= INITIAL_N).sort((a, b) => a - b)
  for (const next of rising) {
    delta += (next - n) * (handled + 1)
    n = next
    for (const point of points) {
      if (point < n) delta++
      if (point !== n) continue
      let q = delta
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias)
        if (q < t) break
        out += digit(t + ((q - t) % (BASE - t)))
        q = Math.floor((q - t) / (BASE - t))
      }
      out += digit(q)
      bias = adapt(delta, handled + 1, handled === basic)
      delta = 0
      handled++
    }
    delta++
    n++
  }
  return out
}

/** The label behind Punycode without `xn--`; undefined if it is none, or longer than 255. */
export function decodePunycode(text: string): string | undefined {
  if (text.length > MAX_LENGTH || /[^\u0000-\u007f]/.test(text)) return undefined
  const delimiter = text.lastIndexOf('-')
  const points = Array.from(text.slice(0, Math.max(0, delimiter)), (c) => c.charCodeAt(0))
  let n = INITIAL_N
  let i = 0
  let bias = INITIAL_BIAS
  for (let at = delimiter > 0 ? delimiter + 1 : 0; at < text.length;) {
    const before = i
    let weight = 1
    for (let k = BASE; ; k += BASE) {
      const value = at < text.length ? valueOf(text.charCodeAt(at++)) : BASE
      if (value >= BASE) return undefined
      i += value * weight
      if (i > MAX_INT) return undefined
      const t = threshold(k, bias)
      if (value < t) break
      weight *= BASE - t
      if (weight > MAX_INT) return undefined
    }
    bias = adapt(i - before, points.length + 1, before === 0)
    n += Math.floor(i / (points.length + 1))
    i %= points.length + 1
    if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff)) return undefined
    points.splice(i++, 0, n)
  }
  return String.fromCodePoint(...points)
}
