// How many names and IP addresses an issuance has, where its row does not list them all: as two numbers, null for what is whole.
import type { CertRecord } from './store.ts'

/** Names, addresses. */
export type ListCounts = readonly [names: number | null, ips: number | null]

/** Undefined of nearly all issuances: they are whole. */
export function listCounts({ namesCount, ipAddressesCount }: CertRecord): ListCounts | undefined {
  return namesCount === undefined && ipAddressesCount === undefined ? undefined : [namesCount ?? null, ipAddressesCount ?? null]
}

/** The other way round. */
export function withListCounts(counts: ListCounts | undefined): Pick<CertRecord, 'namesCount' | 'ipAddressesCount'> {
  const [namesCount, ipAddressesCount] = counts ?? [null, null]
  return { ...(typeof namesCount === 'number' && { namesCount }), ...(typeof ipAddressesCount === 'number' && { ipAddressesCount }) }
}
