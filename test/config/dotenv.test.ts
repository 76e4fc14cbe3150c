import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { dotenvLine, parseDotenv } from '../../src/config/dotenv.ts'

const table: readonly (readonly [text: string, variables: Record<string, string>, odd?: readonly number[]])[] = [
  ['A=1\nB = two\r\nexport C=3', { A: '1', B: 'two', C: '3' }],
  ['# comment\n\n  # another\nA=1', { A: '1' }],
  ['A=x # comment\nB=x#y\nC=#z\nD=', { A: 'x', B: 'x#y', C: '', D: '' }],
  [`A="x # y" # comment\nB='it is \\n'\nC="a\\nb\\t\\"q\\" \\$5 \\x"`, { A: 'x # y', B: 'it is \\n', C: 'a\nb\t"q" $5 \\x' }],
  ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
  ['A=a=b&c', { A: 'a=b&c' }],
  ['A=1\nA=2', { A: '2' }],
  ['what\n=x\n1A=2\nA=3', { A: '3' }, [1, 2, 3]],
  ['A="open\nB=2', { B: '2' }, [1]],
  ['A="x" y\nB=2', { B: '2' }, [1]],
  ['\ufeffA=1', { A: '1' }],
  ['A=$(id) ${HOME} `id`', { A: '$(id) ${HOME} `id`' }],
]

for (const [text, variables, odd] of table) {
  test(`.env: ${JSON.stringify(text)}`, () => {
    const parsed = parseDotenv(text)
    assert.deepEqual({ ...parsed.variables }, variables)
    assert.deepEqual(parsed.odd, odd ?? [])
  })
}

test('.env: __proto__ is a name like another', () => {
  const { variables } = parseDotenv('__proto__=x')
  assert.ok(Object.hasOwn(variables, '__proto__'))
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('.env: what dotenvLine writes is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const line = dotenvLine('NAME', value)
      assert.equal(parseDotenv(`BEFORE=1\n${line}\nAFTER=2\n`).variables['NAME'], value)
    }),
    { numRuns: 1000 },
  )
})
