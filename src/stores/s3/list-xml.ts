// The two XML documents of S3 that we read. Both are flat and made by a machine, so that patterns do; entities are the only thing to undo.
import type { S3Answer } from './exchange.ts'

/** The page of a ListObjectsV2 answer. */
export function parseListing(xml: string): NonNullable<S3Answer['listed']> {
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].flatMap(([, inner = '']) => {
    const key = element(inner, 'Key')
    const lastModified = Date.parse(element(inner, 'LastModified') ?? '')
    return key === undefined || Number.isNaN(lastModified) ? [] : [{ key, lastModified }]
  })
  const next = element(xml, 'IsTruncated') === 'true' ? element(xml, 'NextContinuationToken') : undefined
  return { objects, ...(next !== undefined && { next }) }
}

/** The code of an error answer: `NoSuchKey`. Undefined where there is none, as behind many proxies. */
export function errorCode(xml: string): string | undefined {
  const code = element(xml, 'Code')
  return code !== undefined && /^[A-Za-z0-9]{1,100}$/.test(code) ? code : undefined
}

function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return text?.replace(/&(lt|gt|quot|apos|amp|#\d+|#x[0-9a-fA-F]+);/g, (whole, entity: string) => {
    if (!entity.startsWith('#')) return ENTITIES[entity] ?? whole
    const code = entity.startsWith('#x') ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1))
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
