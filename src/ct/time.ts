// Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }   -- RFC 5280, section 4.1.2.5
import { contentOf, TAG } from './der.ts'
import type { Element } from './der.ts'
import { decodeLatin1 } from './text.ts'

/** A time as far as it can be understood; `odd` says what RFC 5280 forbids in it. */
export interface TimeReading {
  readonly time: Date | undefined
  readonly odd?: string
}

// Beyond RFC 5280, which wants seconds and Z: X.680 allows no seconds, an offset, a fraction (point or comma), and local time.
const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:(Z)|([+-])(\d\d)(\d\d))?$/
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d{1,18}))?)?)?(?:(Z)|([+-])(\d\d)(\d\d)?)?$/

/** Reads a Time, of more forms than RFC 5280 allows; what is no time of the years 0 to 9999 gives undefined. Local times are read as UTC. Never throws. */
export function readTime(bytes: Uint8Array, element: Element): TimeReading {
  const text = element.end - element.content > 64 ? '' : decodeLatin1(contentOf(bytes, element))
  if (element.tag === TAG.utcTime) {
    const m = UTC_TIME.exec(text)
    if (m === null) return { time: undefined, odd: 'UTCTime that is no time' }
    // RFC 5280, section 4.1.2.5.1: 50 to 99 are 19YY.
    const year = Number(m[1]) + (Number(m[1]) >= 50 ? 1900 : 2000)
    const time = moment(year, [m[2], m[3], m[4], m[5], m[6]], undefined, offsetMinutes(m[8], m[9], m[10]))
    if (time === undefined) return { time, odd: 'UTCTime that is no time' }
    return m[6] !== undefined && m[7] === 'Z' ? { time } : { time, odd: 'UTCTime not in the form YYMMDDHHMMSSZ' }
  }
  if (element.tag === TAG.generalizedTime) {
    const m = GENERALIZED_TIME.exec(text)
    if (m === null) return { time: undefined, odd: 'GeneralizedTime that is no time' }
    const time = moment(Number(m[1]), [m[2], m[3], m[4], m[5], m[6]], m[7], offsetMinutes(m[9], m[10], m[11]))
    if (time === undefined) return { time, odd: 'GeneralizedTime that is no time' }
    return m[6] !== undefined && m[7] === undefined && m[8] === 'Z' ? { time } : { time, odd: 'GeneralizedTime not in the form YYYYMMDDHHMMSSZ' }
  }
  return { time: undefined, odd: `time of the type 0x${element.tag.toString(16).padStart(2, '0')}` }
}

function offsetMinutes(sign: string | undefined, hours: string | undefined, minutes: string | undefined): number {
  if (sign === undefined) return 0
  return (Number(hours) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1)
}

// Month, day, hour, minute, second. Date rolls 31 February over into March and year 99 into 1999; neither may pass; a leap second may roll.
function moment(year: number, parts: readonly (string | undefined)[], fraction: string | undefined, offset: number): Date | undefined {
  const [month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? 0))
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined
  const day0 = new Date(0)
  day0.setUTCFullYear(year, month - 1, day)
  if (day0.getUTCMonth() !== month - 1 || day0.getUTCDate() !== day) return undefined
  const milliseconds = ((hour * 60 + minute - offset) * 60 + second) * 1000 + Number((fraction ?? '').padEnd(3, '0').slice(0, 3))
  const time = new Date(day0.getTime() + milliseconds)
  // RFC 3339 has no others: an offset or a leap second may lead there.
  return time.getUTCFullYear() >= 0 && time.getUTCFullYear() <= 9999 ? time : undefined
}
