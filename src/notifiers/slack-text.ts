// Text for the one string that Slack parses: the top-level `text`, in Slack's own mrkdwn. Blocks hold typed text only, which nothing parses.

// What could format, become an emoji or be linked by a client: stars, underscores at an edge, tildes, backticks, :name:, addresses.
const RISKY = /[*~`]|(?<![a-z0-9])_|_(?![a-z0-9])|:[\w+'-]+:|:\/\/|(?<![\w-])www\.|@/i

/** Inert text as mrkdwn: the three that Slack wants escaped are, and a word that could format, link or become an emoji stands in a code span. */
export function mrkdwn(inert: string): string {
  return inert
    .split(' ')
    .map((word) => (RISKY.test(word) ? code(word) : entities(word)))
    .join(' ')
}

/** Several names or items beside one another as mrkdwn: all of them in code spans if one has to be, for what looks different seems to mean something. */
export function alike(inert: readonly string[]): readonly string[] {
  return inert.some((one) => RISKY.test(one)) ? inert.map(code) : inert.map(mrkdwn)
}

/** In a code span nothing is parsed but its end, so backticks in it become quotes. */
export function code(inert: string): string {
  return inert === '' ? '' : `\`${entities(inert.replaceAll('`', "'"))}\``
}

function entities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** At most `max` characters of mrkdwn, cut between words, so that no entity is cut in two; a code span that would stay open goes as a whole. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text
  const head = text.slice(0, max - 2)
  const whole = head.slice(0, Math.max(head.lastIndexOf(' '), 0))
  const open = (whole.match(/`/g)?.length ?? 0) % 2 === 1
  return `${open ? whole.slice(0, whole.lastIndexOf('`')) : whole}…`
}
