// IP addresses and prefixes as items.
import { formatIp, parseIp, unmapIp } from '../ct/ip-address.ts'
import { maskIp } from './ip-ranges.ts'
import type { Item } from './item.ts'

/** Reads an address or a prefix (RFC 4632, RFC 4291 section 2.3) as an item; undefined if the text is nothing of the kind, a problem without the text if it is nearly one. */
export function parseAddress(written: string): { readonly item: Item } | { readonly problem: string } | undefined {
  const bare = written.replace(/^=\s*/, '')
  const [, address = '', size] = /^\[?([0-9a-f.:]+)\]?(?:\/(.*))?$/i.exec(bare) ?? []
  const bytes = parseIp(address)
  if (bytes === undefined) return undefined
  const canonical = formatIp(bytes)
  const bits = bytes.length * 8
  if (bare !== written) return { problem: `is an IP address, which needs no "=". Write ${canonical}` }
  if (written.startsWith('[') || written.includes(']')) return { problem: `has an IP address in brackets. Write ${canonical}` }
  const mapped = unmapIp(bytes)
  if (mapped !== undefined) {
    const less = size !== undefined && /^(?:9[6-9]|1[01]\d|12[0-8])$/.test(size) ? `/${Number(size) - 96}` : ''
    return { problem: `is an IPv4 address in the form of IPv6. Write ${formatIp(mapped)}${less}` }
  }
  if (size === undefined) return { item: { kind: 'ip', text: canonical, bytes, prefix: bits } }
  if (!/^\d{1,3}$/.test(size) || Number(size) > bits) {
    return {
      problem: `has no prefix length after the slash: 0 to ${bits}. Write ${canonical}, or a prefix such as ${formatIp(maskIp(bytes, bits / 2))}/${bits / 2}`,
    }
  }
  const prefix = Number(size)
  const network = formatIp(maskIp(bytes, prefix))
  if (network !== canonical)
    return { problem: `is an address within a prefix, not a prefix. Write ${network}/${prefix} for all of it, or ${canonical} for that one address` }
  return { item: { kind: 'ip', text: prefix === bits ? canonical : `${canonical}/${prefix}`, bytes, prefix } }
}
