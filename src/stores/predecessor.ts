// The state of "Certificate Transparency to Slack", our ancestor: a file or an object named after the domain, holding the id of the last issuance it
// saw.
// It is read once, for a name that has no state here, and never touched.

/** What a file of the predecessor's says: the id to go on from, or why it is of no use. Undefined: there is no such file. */
export type Inherited = { readonly cursor: string } | { readonly problem: string }

const MAX_SIZE = 1000

/** Reads the content of such a file: the bare id, or (as its S3 objects have it) a JSON string of it. */
export function readInherited(content: string): Inherited {
  if (content.length > MAX_SIZE) return { problem: 'it is too long to be an id' }
  const bare = content.trim()
  if (bare === '') return { problem: 'it is empty' }
  const id = /^"([^"\\]*)"$/.exec(bare)?.[1] ?? bare
  // The API calls its ids opaque, but all that the predecessor ever stored were decimal numbers; a page of HTML is not one.
  return /^[0-9]{1,30}$/.test(id) ? { cursor: id } : { problem: 'what it holds is not an id of the Cert Spotter API' }
}
