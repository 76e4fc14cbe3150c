// Writes schema/: the configuration's schema, and those of all outputs. Tests compare the files with what they are made from.
import { mkdirSync, writeFileSync } from 'node:fs'
import { configJsonSchemaText } from '../src/config/schema.ts'
import { outputNames, outputSchemaText } from './output-schemas.ts'

const folder = new URL('../schema/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('certbell.schema.json', folder), configJsonSchemaText())
for (const output of outputNames) writeFileSync(new URL(`${output}.schema.json`, folder), outputSchemaText(output))
