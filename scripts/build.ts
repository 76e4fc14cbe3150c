// npm run build: TypeScript to dist/, from nothing, so that no file of a former shape stays behind; and the Lambda function in one file.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { bundleLambda, inlineZod } from './bundle.ts'

const root = join(import.meta.dirname, '..')
const typescript = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const [fresh, dist] = [join(root, 'dist.new'), join(root, 'dist')]
const compile = (...options: readonly string[]): void =>
  void execFileSync(process.execPath, [typescript, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh, ...options], { stdio: 'inherit' })

rmSync(fresh, { recursive: true, force: true })
compile()
await inlineZod(join(fresh, 'config', 'schema.js'))
mkdirSync(join(fresh, 'lambda'))
writeFileSync(join(fresh, 'lambda', 'index.mjs'), (await bundleLambda()).text)
// Its types stand beside the folder: that is what is deployed, as it is.
const types = join(fresh, 'types')
compile('--outDir', types, '--declaration', '--emitDeclarationOnly')
copyFileSync(join(types, 'lambda.d.ts'), join(fresh, 'lambda.d.mts'))
rmSync(types, { recursive: true })
rmSync(dist, { recursive: true, force: true })
renameSync(fresh, dist)
