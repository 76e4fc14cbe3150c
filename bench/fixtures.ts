// Real data beside the repository, and items to look for in it.
import { join } from 'node:path'
import type { Item } from '../src/watch/item.ts'

export const FIXTURES = process.env['CERTBELL_FIXTURES'] ?? join(import.meta.dirname, '..', '..', 'shared', 'fixtures')

/** Items beside the names in the tiles: of their top-level domains, and below the domains that most of them are in. */
export function itemsOf(count: number): readonly Item[] {
  const ends = ['com', 'example.com', 'org', 'example.org', 'net', 'example.net', 'test', 'dev', 'io', 'letsencrypt.org']
  return Array.from({ length: count }, (_, n) => {
    const domain = `${n % 3 === 0 ? 'login.' : ''}brand${n}.${ends[n % ends.length]}`
    return { kind: 'name', text: domain, domain, exact: n % 3 === 0 }
  })
}
