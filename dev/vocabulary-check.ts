import { globSync, readFileSync } from 'node:fs'
import { takeNoArguments } from './arguments.ts'
import { fromRoot } from './bundle.ts'
import { checkFile } from './vocabulary/check.ts'

const HELP = `
npm run vocabulary:check: checks names, comments, strings and documents against the vocabulary of the project.

The rules are in dev/vocabulary/rules.ts. Prints file, line, the word and what to write instead. Exit code 1 if a word
breaks a rule.
`
const FILES = [
  '{src,dev,client,bench,public,test,examples}/**/*.{ts,js,html,md}',
  '*.md',
  'docs/**/*.md',
  'infra/*.yaml',
  '*.toml',
]
/** Third-party code, and the files that quote the words. */
const EXCLUDED = /\/(vendor|node_modules)\/|^dev\/vocabulary\/rules\.ts$|^test\/dev\/vocabulary-check\.test\.ts$/

takeNoArguments(HELP)
const files = globSync(FILES, { cwd: fromRoot('.') })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !EXCLUDED.test(file))
const findings = files.sort().flatMap((file) => checkFile(file, readFileSync(fromRoot(file), 'utf8')))
for (const { file, line, found, write } of findings) {
  process.stdout.write(`${file}${line > 0 ? `:${line}` : ''}: "${found}" → ${write}\n`)
}
process.stdout.write(`${files.length} files, ${findings.length} words to change.\n`)
process.exitCode = findings.length === 0 ? 0 : 1
