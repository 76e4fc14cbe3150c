// Hostile text made harmless for the eye: nothing in it moves a cursor, starts a line, turns the direction or hides.

// C0, DEL, C1, line and paragraph separators, bidi marks, embeddings, overrides and isolates, zero-width characters, BOM, lone surrogates, tag characters.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g

/** Attacker's text for a person's eyes: what cannot be seen or does something becomes `\u{202e}`, and more than `max` characters are cut with `…`. */
export function printable(text: string, max = 300): string {
  // Cut before escaping, so that ten megabytes of NUL cost no more than `max` of them; and not in the middle of an escape.
  let shown = text.length > max ? text.slice(0, max) : text
  shown = shown.replace(UNSEEN, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
  if (shown.length > max || text.length > max) shown = `${shown.slice(0, Math.max(0, max - 1)).replace(/[\ud800-\udbff]$|\\u?\{?[0-9a-f]*$/, '')}…`
  return shown
}

/** JSON whose strings hold nothing that a terminal or a viewer would obey: JSON.stringify leaves DEL, C1, bidi and separators as they are. */
export function safeJson(value: unknown, space?: number): string {
  return JSON.stringify(value, undefined, space).replace(UNSEEN_IN_JSON, (c) => {
    let out = ''
    for (let i = 0; i < c.length; i++) out += `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`
    return out
  })
}

// As above without C0: those that JSON.stringify leaves are its own line breaks.
const UNSEEN_IN_JSON =
  /[\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\udb40[\udc00-\udfff]/g
