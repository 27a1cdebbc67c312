import { describe, expect, it } from 'vitest'
import { checkFile, toWords } from '../../dev/vocabulary/check.ts'
import { FILE_RULES, NAME_RULES, PHRASE_RULES } from '../../dev/vocabulary/rules.ts'
import { runCommand } from './run-command.ts'

/** What the check says to write for each finding in this source of this file. */
const findAdvice = (source: string, file = 'src/example.ts') => checkFile(file, source).map(({ write }) => write)

describe('the vocabulary check', () => {
  it.each(NAME_RULES)('finds the name $example', ({ example, write }) => {
    expect(findAdvice(`export const ${example} = 1`)).toEqual([write])
  })

  it.each(FILE_RULES)('finds a file that is named $example', ({ example, write }) => {
    expect(findAdvice('', `src/${example}.ts`)).toEqual([write])
  })

  it.each(PHRASE_RULES)('finds the phrase "$example" in a comment, a string and a document', ({ example, write }) => {
    expect(findAdvice(`/** It is so: ${example}. */`)).toContain(write)
    expect(findAdvice(`it(\`says: ${example}\`, test)`)).toContain(write)
    expect(findAdvice(`A paragraph.\n\n${example}.`, 'docs/example.md')).toContain(write)
  })

  it.each(NAME_RULES.flatMap(({ allowed = [] }) => allowed))('accepts the name %s of an interface', (name) => {
    expect(findAdvice(`read({ ${name}: 1 })`)).toEqual([])
  })

  it('accepts ordinary words in ordinary sentences', () => {
    const sentence = 'The memory in use: a caller waits, remembers what it was told, and is far from home, as refused.'
    expect(findAdvice(`// ${sentence}\nconst text = '${sentence}'`)).toEqual([])
    expect(findAdvice(sentence, 'docs/example.md')).toEqual([])
  })

  it('accepts the vocabulary itself', () => {
    const source = `
      import { createRateLimit } from './broker/ports/storage.ts'
      const stored = storePair({ tokenPair, diesAt, rounds, waitUntil }, 'sealed:v1:')
      throw new Problem('sealed_token_unreadable')`
    expect(findAdvice(source)).toEqual([])
  })

  it('reads names in code, in template expressions and in snake_case strings, and none in patterns', () => {
    const source = `
      const total = width / spentBefore / 2
      log({ event: 'keep_alive_failed', text: \`\${{ told: \`\${whereabouts}\` }}\` })
      const pattern = /[/'"\`]told/g`
    expect(checkFile('src/example.ts', source).map(({ found, line }) => `${line}: ${found}`)).toEqual([
      '2: spentBefore',
      '3: keep_alive_failed',
      '3: told',
      '3: whereabouts',
    ])
  })

  it('finds a phrase that a line break divides, with the line in which it begins', () => {
    const source = '\n/**\n * Stored behind\n * the answer.\n */\n'
    expect(checkFile('src/example.ts', source)).toMatchObject([{ line: 3, found: 'behind the answer' }])
  })

  it('divides names into words', () => {
    expect(['getHTTPStatus', 'keep_alive_failed', 'await-lease', 'AWS_REGION'].map(toWords)).toEqual([
      'get http status',
      'keep alive failed',
      'await lease',
      'aws region',
    ])
  })

  it('explains itself', async () => {
    const { code, output } = await runCommand('vocabulary-check.ts', {}, ['--help'])
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('dev/vocabulary/rules.ts') })
  })
})
