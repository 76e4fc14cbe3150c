// The object store over both clients, against the fake and, where there is one, moto's server.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FakeS3 } from '../../src/sandbox/s3.ts'
import { startS3 } from '../../src/sandbox/s3.ts'
import { openAws4fetchStore } from '../../src/stores/s3/aws4fetch-store.ts'
import type { S3Place } from '../../src/stores/s3/exchange.ts'
import type { ObjectStore } from '../../src/stores/s3/object-store.ts'
import { readPredecessor } from '../../src/stores/s3/predecessor-object.ts'
import { honoursConditions } from '../../src/stores/s3/probe.ts'
import { openSdkStore } from '../../src/stores/s3/sdk-store.ts'
import { readInherited } from '../../src/stores/predecessor.ts'
import { OwnerError, StoreError } from '../../src/watch/errors.ts'
import type { Moto } from './moto.ts'
import { startMoto, withoutMoto } from './moto.ts'
import { KEYS, PATIENT, S3_PLACE } from './s3-place.ts'

type OpenStore = (endpoint: string, place?: S3Place, keys?: typeof KEYS) => Promise<ObjectStore>

const HASTY = { ...PATIENT, timeLeft: () => 600, random: () => 0.3 }
const clients: Readonly<Record<string, OpenStore>> = {
  aws4fetch: async (endpoint, place = S3_PLACE, keys = KEYS) =>
    openAws4fetchStore(place, { region: 'eu-central-1', endpoint, credentials: () => keys, fetch: async (url, init) => fetch(url, init) }, HASTY),
  'the SDK': async (endpoint, place = S3_PLACE, keys = KEYS) => openSdkStore(place, { region: 'eu-central-1', endpoint, credentials: keys }, HASTY),
}

/** What any S3 must do. */
function behaviour(open: () => Promise<ObjectStore>): void {
  it('creates once, replaces what it read, and tells when there is nothing to replace', async () => {
    const store = await open()
    const key = 'state/a b+ü(1)/x'
    assert.equal(await store.get(key), undefined)
    assert.equal(await store.put(key, Buffer.from('0'), { ifMatch: '"00000000000000000000000000000000"' }), 'gone')
    const created = await store.put(key, Buffer.from('1'), { ifNoneMatch: '*' })
    assert.ok(typeof created === 'object')
    assert.match(created.etag, /^".+"$/)
    assert.equal(await store.put(key, Buffer.from('2'), { ifNoneMatch: '*' }), 'conflict')
    const replaced = await store.put(key, Buffer.from([0, 255, 10]), { ifMatch: created.etag })
    assert.ok(typeof replaced === 'object')
    assert.equal(await store.put(key, Buffer.from('4'), { ifMatch: created.etag }), 'conflict')
    const read = await store.get(key)
    assert.ok(typeof read === 'object')
    assert.deepEqual([read.etag, [...read.body]], [replaced.etag, [0, 255, 10]])
    assert.equal(await store.get(key, replaced.etag), 'unchanged')
    assert.ok(typeof (await store.get(key, created.etag)) === 'object')
    assert.deepEqual(
      (await store.list('state/a b')).map(({ key }) => key),
      [key],
    )
    assert.ok(Math.abs((await store.list('state/'))[0]!.lastModified - Date.now()) < 60_000)
    assert.equal(await store.remove(key), true)
    assert.equal(await store.remove(key), true)
    assert.equal(await store.get(key), undefined)
  })

  it('is probed, and passes', async () => {
    const store = await open()
    assert.equal(await honoursConditions(store, 'state/', 'x1'), true)
    assert.deepEqual(await store.list('state/probe'), [])
  })
}

for (const [name, open] of Object.entries(clients)) {
  describe(`object store: ${name}`, () => {
    let fake: FakeS3
    before(async () => void (fake = await startS3({ keys: KEYS, pageSize: 3 })))
    after(async () => fake.close())
    const on = (run: (store: ObjectStore) => Promise<void>) => async (): Promise<void> => {
      const clean = { ...fake.switches }
      fake.objects.clear()
      fake.log.length = 0
      try {
        await run(await open(fake.endpoint))
      } finally {
        Object.assign(fake.switches, clean)
      }
    }

    behaviour(async () => open(fake.endpoint))

    it(
      'lists page by page, and knows every key',
      on(async (store) => {
        const keys = ['state/1', 'state/<&>"', 'state/a+b c', 'state/x', 'state/y', 'state/ü', 'state/z']
        for (const key of [...keys, 'other']) fake.set(key, 'x')
        assert.deepEqual((await store.list('state/')).map(({ key }) => key).sort(), [...keys].sort())
      }),
    )

    it(
      'sends no checksum headers, and a condition with every write',
      on(async (store) => {
        fake.switches.refuseChecksums = true
        await store.put('state/x', Buffer.from('1'), { ifNoneMatch: '*' })
        await store.remove('state/x')
        for (const { method, headers } of fake.log) {
          assert.deepEqual(
            Object.keys(headers).filter((header) => /checksum|content-md5/.test(header)),
            [],
          )
          if (method === 'PUT') assert.ok(headers['if-none-match'] === '*' || headers['if-match'] !== undefined)
        }
      }),
    )

    const refusals: readonly (readonly [string, () => void, (store: ObjectStore) => Promise<unknown>, RegExp])[] = [
      [
        '403 on a read',
        () => (fake.switches.denyAll = true),
        async (s) => s.get('state/x'),
        /s3:GetObject on arn:aws:s3:::bucket\/state\/\* and s3:ListBucket on arn:aws:s3:::bucket \(.*without \/\*\)/,
      ],
      ['403 for want of listing', () => (fake.switches.noList = true), async (s) => s.get('state/x'), /s3:ListBucket on arn:aws:s3:::bucket /],
      [
        '403 on a write',
        () => (fake.switches.denyAll = true),
        async (s) => s.put('state/x', Buffer.from(''), { ifNoneMatch: '*' }),
        /s3:PutObject and s3:GetObject on arn:aws:s3:::bucket\/state\/\*/,
      ],
      ['403 on a listing', () => (fake.switches.noList = true), async (s) => s.list('state/'), /s3:ListBucket on arn:aws:s3:::bucket /],
      ['no bucket', () => (fake.switches.noBucket = true), async (s) => s.get('state/x'), /the bucket bucket does not exist/],
      [
        'no bucket, on a write',
        () => (fake.switches.noBucket = true),
        async (s) => s.put('state/x', Buffer.from(''), { ifMatch: '"x"' }),
        /the bucket bucket does not exist/,
      ],
    ]
    for (const [what, turn, act, says] of refusals) {
      it(
        `${what} is the owner's, with the remedy`,
        on(async (store) => {
          turn()
          await assert.rejects(
            act(store),
            (error: unknown) => error instanceof OwnerError && error.code === 'state-access' && says.test(error.message),
          )
          assert.equal(fake.log.length, 1, 'asked once')
        }),
      )
    }

    it('wrong keys are told from missing rights, and not shown', async () => {
      const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'another' }
      const store = await open(fake.endpoint, S3_PLACE, keys)
      await assert.rejects(store.get('state/x'), (error: unknown) => {
        assert.ok(error instanceof OwnerError)
        assert.match(error.message, /credentials .* are not accepted.*SignatureDoesNotMatch/)
        assert.doesNotMatch(error.message, /another|AKID/)
        return true
      })
    })

    it(
      'a role that may not delete is no error',
      on(async (store) => {
        fake.switches.noDelete = true
        assert.equal(await store.remove('state/x'), false)
      }),
    )

    it(
      'what passes is asked again',
      on(async (store) => {
        for (const fault of ['slow-down', 'broken', 'cut', 'lost'] as const) {
          let times = 2
          fake.switches.fault = () => (times-- > 0 ? fault : undefined)
          assert.equal(await store.get('state/x'), undefined, fault)
          assert.equal(times, -1)
        }
        let times = 1
        fake.switches.fault = () => (times-- > 0 ? 'lost' : undefined)
        assert.equal(await store.put('state/x', Buffer.from('x'), { ifNoneMatch: '*' }), 'conflict', 'its own success')
        fake.switches.fault = () => 'conflict'
        assert.equal(await store.put('state/y', Buffer.from('x'), { ifNoneMatch: '*' }), 'conflict')
      }),
    )

    it(
      'what lasts is given up in time',
      on(async (store) => {
        for (const [fault, code] of [
          ['slow-down', 'busy'],
          ['broken', 'io'],
          ['cut', 'io'],
        ] as const) {
          fake.switches.fault = () => fault
          const start = Date.now()
          await assert.rejects(store.get('state/x'), (error: unknown) => error instanceof StoreError && error.code === code, fault)
          assert.ok(Date.now() - start < 2000)
        }
        fake.switches.fault = () => undefined
        fake.switches.latencyMs = 1500
        await assert.rejects(store.get('state/x'), (error: unknown) => error instanceof StoreError && /no answer in time|abort/i.test(error.message))
        const nowhere = await open('http://127.0.0.1:1')
        await assert.rejects(nowhere.get('state/x'), StoreError)
      }),
    )

    it(
      'a service that ignores conditions is found out',
      on(async (store) => {
        fake.switches.ignoreConditions = true
        assert.equal(await honoursConditions(store, 'state/', 'x2'), false)
        assert.equal(fake.objects.size, 0)
      }),
    )

    it(
      "reads the predecessor's object at the top of the bucket",
      on(async (store) => {
        fake.set('example.com', '"5235199122"')
        assert.deepEqual(readInherited((await readPredecessor(store, 'example.com')) ?? ''), { cursor: '5235199122' })
        assert.equal(await readPredecessor(store, 'example.net'), undefined)
        assert.deepEqual(
          fake.log.map(({ method, status }) => [method, status]),
          [
            ['GET', 200],
            ['GET', 404],
          ],
        )
      }),
    )
  })
}

describe('object store: moto', { skip: withoutMoto }, () => {
  let moto: Moto
  before(async () => void (moto = await startMoto()))
  after(() => moto.stop())
  for (const [name, open] of Object.entries(clients)) {
    describe(name, () => {
      behaviour(async () => open(moto.endpoint))
      it('finds no bucket where there is none', async () => {
        const store = await open(moto.endpoint, { bucket: 'elsewhere', prefix: '' })
        await assert.rejects(store.get('x'), (error: unknown) => error instanceof OwnerError && /does not exist/.test(error.message))
      })
    })
  }
})
