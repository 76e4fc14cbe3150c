// A webhook's address is a secret. What the other side says, or an error does, may repeat it, whole or in part.

/** Shorter pieces are as likely to be a word of the answer. */
const PIECE = 7
/** Every webhook of Slack's has one of these in its path: they are no secret, and `no_service` must stay readable. */
const PUBLIC = new Set(['services', 'workflows', 'triggers'])

/** Makes a function that takes every trace of a URL out of a text: the URL itself, and each stretch of 7 characters or more that its path or query shares with the text. */
export function redactor(url: string): (text: string) => string {
  const parts = secretParts(url)
  const traces = new Set(parts.flatMap((part) => Array.from({ length: part.length - PIECE + 1 }, (_, i) => part.slice(i, i + PIECE))))
  return (text) => {
    const whole = text.replaceAll(url, '[webhook]')
    const lower = lowerCase(whole)
    let out = ''
    for (let i = 0; i < whole.length;) {
      let end = i
      while (end + PIECE <= lower.length && traces.has(lower.slice(end, end + PIECE))) end++
      if (end === i) {
        out += whole[i]
        i++
      } else {
        // The last window that matched reaches PIECE characters from its start.
        i = end - 1 + PIECE
        out += '[…]'
      }
    }
    return out
  }
}

function secretParts(url: string): readonly string[] {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return [lowerCase(url)].filter((part) => part.length >= PIECE)
  }
  const raw = [parsed.username, parsed.password, ...parsed.pathname.split('/'), ...[...parsed.searchParams].flat(), parsed.hash.slice(1)]
  return [...new Set(raw.flatMap((part) => [part, decoded(part)]).map(lowerCase))].filter((part) => part.length >= PIECE && !PUBLIC.has(part))
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

// ASCII only: toLowerCase makes two characters of some, and the places would no longer agree.
function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (c) => c.toLowerCase())
}
