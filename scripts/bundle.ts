// The Lambda function as one file: everything that a tick needs, and nothing that only a process of one's own needs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Metafile, Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')

/** The bundle's text, and esbuild's account of what is in it. */
export async function bundleLambda(): Promise<{ readonly text: string; readonly meta: Metafile }> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/lambda.ts'],
    outfile: 'index.mjs',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Lambda runs 22 and 24.
    target: 'node22',
    minify: true,
    legalComments: 'eof',
    // ES modules can be shaken; what CommonJS would need is not there.
    mainFields: ['module', 'main'],
    alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
    define: { CERTBELL_VERSION: JSON.stringify(version) },
    plugins: [packedSuffixes],
    banner: { js: `// certbell ${version}, MIT. Made from its source by scripts/bundle.ts; the packages in it are listed in the README.` },
    logLevel: 'warning',
  })
  return { text: outputFiles[0]?.text ?? '', meta: metafile }
}

/**
 * Puts the part of zod that a compiled module uses into the module itself. zod/mini as it is published brings its messages in every language along: ninety
 * files, 17 MB of memory and 50 ms at each start, for words that nobody sees.
 */
export async function inlineZod(file: string): Promise<void> {
  await build({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    legalComments: 'eof',
    logLevel: 'warning',
  })
}

// The public suffix list is a third of the whole, written out as numbers and names: packed, it is a quarter of that, and is unpacked in a millisecond.
const packedSuffixes: Plugin = {
  name: 'packed-suffixes',
  setup: (build) => {
    build.onLoad({ filter: /\/tldts\/dist\/es6\/src\/data\/trie\.js$/ }, async ({ path }) => {
      const data = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
      return { contents: packedModule(data), loader: 'js' }
    })
  },
}

/** A module with the same exports, its arrays and texts packed. */
export function packedModule(data: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(data).map(([name, value]) => {
    if (typeof value === 'number') return `export const ${name} = ${value}`
    if (typeof value === 'string') return `export const ${name} = unpack('${deflated(Buffer.from(value))}').toString()`
    if (value instanceof Uint8Array || value instanceof Uint16Array || value instanceof Uint32Array) {
      const kind = value.constructor.name
      // A copy: the elements have to lie where their size divides the address.
      return `export const ${name} = new ${kind}(new Uint8Array(unpack('${deflated(Buffer.from(value.buffer, value.byteOffset, value.byteLength))}')).buffer)`
    }
    throw new Error(`the public suffix list of tldts has ${name}, a ${typeof value}: look at it before it is packed`)
  })
  return ["import { inflateRawSync } from 'node:zlib'", "const unpack = (text) => inflateRawSync(Buffer.from(text, 'base64'))", ...lines].join('\n')
}

function deflated(bytes: Buffer): string {
  return deflateRawSync(bytes, { level: 9 }).toString('base64')
}
