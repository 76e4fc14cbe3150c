// Writes schema/certbell.schema.json from the configuration's schema. A test compares the two.
import { mkdirSync, writeFileSync } from 'node:fs'
import { configJsonSchemaText } from '../src/config/schema.ts'

const target = new URL('../schema/certbell.schema.json', import.meta.url)
mkdirSync(new URL('.', target), { recursive: true })
writeFileSync(target, configJsonSchemaText())
