// npm run build: TypeScript to dist/, from nothing, so that no file of a former shape stays behind.
import { execFileSync } from 'node:child_process'
import { renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const typescript = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const [fresh, dist] = [join(root, 'dist.new'), join(root, 'dist')]
rmSync(fresh, { recursive: true, force: true })
execFileSync(process.execPath, [typescript, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh], { stdio: 'inherit' })
rmSync(dist, { recursive: true, force: true })
renameSync(fresh, dist)
