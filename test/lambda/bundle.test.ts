// The bundle by esbuild's own account: what is in it, how large it is, and that what was packed comes out as it went in.
import assert from 'node:assert/strict'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { bundleLambda, packedModule } from '../../scripts/bundle.ts'

describe('the Lambda bundle', () => {
  let bundle: Awaited<ReturnType<typeof bundleLambda>>
  before(async () => {
    bundle = await bundleLambda()
  })

  it('is one file of 400 kB at most', () => {
    assert.equal(Object.keys(bundle.meta.outputs).length, 1)
    assert.ok(Buffer.byteLength(bundle.text) <= 400_000, `${Buffer.byteLength(bundle.text)} bytes`)
  })

  it('holds no SQLite, no command line, no undici, no SDK, no sandbox', () => {
    const inputs = Object.keys(bundle.meta.inputs)
    assert.ok(inputs.includes('src/lambda.ts') && inputs.includes('src/stores/s3/aws4fetch-store.ts'))
    const unwanted = /sqlite|src\/cli\/|undici|@aws-sdk|@smithy|sandbox|commander|prom-client|@clack/
    assert.deepEqual(
      inputs.filter((path) => unwanted.test(path)),
      [],
    )
  })

  it('needs nothing but Node, and of that no SQLite and no server', () => {
    const [output] = Object.values(bundle.meta.outputs)
    const wanted = [...new Set(output?.imports.map(({ path }) => path.replace(/^node:/, '')))].sort()
    assert.deepEqual(
      wanted.filter((name) => !builtinModules.includes(name)),
      [],
    )
    assert.deepEqual(
      wanted.filter((name) => ['sqlite', 'http', 'https', 'child_process', 'module'].includes(name)),
      [],
    )
  })

  it('B1: the handler that a deployment names is there, with the two parameters that Lambda gives', async () => {
    const built = (await import(pathToFileURL(join(import.meta.dirname, '../../dist/lambda/index.mjs')).href)) as Record<string, unknown>
    assert.deepEqual(Object.keys(built), ['handler'])
    assert.equal((built['handler'] as (...args: readonly unknown[]) => unknown).length, 2)
  })

  it('has the public suffix list as it is, packed', async () => {
    const path = join(import.meta.dirname, '../../node_modules/tldts/dist/es6/src/data/trie.js')
    const original = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
    const unpacked = (await import(`data:text/javascript,${encodeURIComponent(packedModule(original))}`)) as Readonly<Record<string, unknown>>
    assert.deepEqual({ ...unpacked }, { ...original })
    assert.ok(Object.keys(bundle.meta.inputs).some((input) => path.endsWith(input)))
  })
})
