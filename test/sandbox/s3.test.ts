import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { it } from 'node:test'
import type { FakeS3 } from '../../src/sandbox/s3.ts'
import { startS3 } from '../../src/sandbox/s3.ts'

const on =
  (run: (fake: FakeS3, ask: (method: string, path: string, init?: RequestInit) => Promise<[number, string, string | null]>) => Promise<void>) =>
  async (): Promise<void> => {
    const fake = await startS3({ pageSize: 2 })
    try {
      await run(fake, async (method, path, init = {}) => {
        const answer = await fetch(fake.endpoint + path, { method, ...init })
        return [answer.status, await answer.text(), answer.headers.get('etag')]
      })
    } finally {
      await fake.close()
    }
  }
const etag = (text: string): string => `"${createHash('md5').update(text).digest('hex')}"`
const put = (body: string, headers: Record<string, string> = {}): RequestInit => ({ body, headers })
const code = ([status, text]: readonly [number, string, ...unknown[]]): string => `${status} ${/<Code>(.*)<\/Code>/.exec(text)?.[1] ?? ''}`

it(
  'keeps objects under their MD5, on the conditions that S3 knows',
  on(async (fake, ask) => {
    assert.equal(code(await ask('GET', '/bucket/a')), '404 NoSuchKey')
    assert.equal(code(await ask('PUT', '/bucket/a', put('x', { 'if-match': etag('x') }))), '404 NoSuchKey')
    assert.deepEqual(await ask('PUT', '/bucket/a', put('1', { 'if-none-match': '*' })), [200, '', etag('1')])
    assert.equal(code(await ask('PUT', '/bucket/a', put('2', { 'if-none-match': '*' }))), '412 PreconditionFailed')
    assert.equal(code(await ask('PUT', '/bucket/a', put('2', { 'if-match': etag('0') }))), '412 PreconditionFailed')
    assert.equal((await ask('PUT', '/bucket/a', put('2', { 'if-match': etag('1') })))[0], 200)
    assert.deepEqual(await ask('GET', '/bucket/a'), [200, '2', etag('2')])
    assert.deepEqual(await ask('HEAD', '/bucket/a'), [200, '', etag('2')])
    assert.deepEqual(await ask('GET', '/bucket/a', { headers: { 'if-none-match': etag('2') } }), [304, '', etag('2')])
    assert.equal((await ask('DELETE', '/bucket/a'))[0], 204)
    assert.equal((await ask('DELETE', '/bucket/a'))[0], 204)
    assert.equal(code(await ask('GET', '/other/a')), '404 NoSuchBucket')
    assert.deepEqual(
      fake.log.slice(0, 3).map(({ method, key, status, received }) => [method, key, status, received]),
      [
        ['GET', 'a', 404, 0],
        ['PUT', 'a', 404, 1],
        ['PUT', 'a', 200, 1],
      ],
    )
  }),
)

it(
  'lists by prefix, in order, page by page',
  on(async (fake, ask) => {
    for (const key of ['p/c', 'p/a', 'p/b&', 'q']) fake.set(key, 'x')
    const keys = (text: string): string[] => [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key ?? '')
    const [, first] = await ask('GET', '/bucket?list-type=2&prefix=p%2F')
    assert.deepEqual(keys(first), ['p/a', 'p/b&amp;'])
    assert.match(first, /<IsTruncated>true<.*<NextContinuationToken>p\/b&amp;</)
    const [, second] = await ask('GET', '/bucket?list-type=2&prefix=p%2F&continuation-token=p%2Fb%26')
    assert.deepEqual(keys(second), ['p/c'])
    assert.match(second, /<IsTruncated>false</)
  }),
)

it(
  'plays every fault',
  on(async (fake, ask) => {
    const { switches } = fake
    switches.noList = true
    assert.equal(code(await ask('GET', '/bucket/a')), '403 AccessDenied')
    assert.equal(code(await ask('GET', '/bucket?list-type=2')), '403 AccessDenied')
    switches.noDelete = true
    assert.equal(code(await ask('DELETE', '/bucket/a')), '403 AccessDenied')
    switches.refuseChecksums = true
    assert.equal(code(await ask('PUT', '/bucket/a', put('1', { 'x-amz-checksum-crc32': 'x' }))), '501 NotImplemented')
    switches.ignoreConditions = true
    assert.equal((await ask('PUT', '/bucket/a', put('1', { 'if-match': '"x"' })))[0], 200)
    switches.fault = () => 'conflict'
    assert.equal(code(await ask('PUT', '/bucket/a', put('2'))), '409 ConditionalRequestConflict')
    switches.fault = () => 'slow-down'
    assert.equal(code(await ask('GET', '/bucket/a')), '503 SlowDown')
    switches.fault = () => 'deny'
    assert.equal(code(await ask('GET', '/bucket/a')), '403 AccessDenied')
    switches.fault = () => 'cut'
    await assert.rejects(ask('PUT', '/bucket/a', put('3')))
    assert.equal(fake.objects.get('a')?.body.toString(), '1')
    switches.fault = () => 'lost'
    await assert.rejects(ask('PUT', '/bucket/a', put('4')))
    assert.equal(fake.objects.get('a')?.body.toString(), '4')
    switches.fault = () => undefined
    switches.denyAll = true
    assert.equal(code(await ask('PUT', '/bucket/a', put('5'))), '403 AccessDenied')
  }),
)
