import { basename } from 'node:path'
import { FILE_RULES, NAME_RULES, type NameRule, PHRASE_RULES } from './rules.ts'
import { scanCode } from './tokens.ts'

/** A word or phrase that breaks a rule. `line` counts from 1; 0 is the name of the file. */
export type Finding = { file: string; line: number; found: string; write: string }

const CODE = /\.[jt]s$/
/** A string that is one snake_case word is a name: a log event, a problem code, an attribute. */
const SNAKE_CASE = /^(['"`])([a-z]+(?:_[a-z]+)+)\1$/

/** Splits a name: the lower-case words of a camelCase, PascalCase, snake_case or kebab-case name, separated by one space. */
export const toWords = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/[^A-Za-z\d]+/g, ' ')
    .trim()
    .toLowerCase()

const checkName = (name: string, file: string, rules: NameRule[]) =>
  rules.filter(
    ({ pattern, allowed = [], folders }) =>
      pattern.test(toWords(name)) &&
      !allowed.includes(name) &&
      (folders === undefined || folders.some((folder) => file.startsWith(`${folder}/`))),
  )

/** A space of a phrase also matches a line break of a comment, a quote or a paragraph. */
const PHRASES = PHRASE_RULES.map(({ pattern, write }) => ({
  pattern: new RegExp(pattern.source.replaceAll(' ', '[\\s*/>]+'), 'i'),
  write,
}))

/** Checks a text that starts in `line`. */
const checkText = (text: string, file: string, line: number): Finding[] =>
  PHRASES.flatMap(({ pattern, write }) => {
    const match = pattern.exec(text)
    if (!match) return []
    const before = text.slice(0, match.index).split('\n').length - 1
    return [{ file, line: line + before, found: match[0].replace(/[\s*/>]+/g, ' '), write }]
  })

const checkCode = (source: string, file: string): Finding[] =>
  scanCode(source).flatMap(({ kind, value, line }) => {
    const name = kind === 'identifier' ? value : SNAKE_CASE.exec(value)?.[2]
    if (name === undefined) return checkText(value, file, line)
    return checkName(name, file, NAME_RULES).map(({ write }) => ({ file, line, found: name, write }))
  })

/** Checks a document, paragraph by paragraph. */
const checkDocument = (source: string, file: string): Finding[] => {
  let line = 1
  return source.split('\n\n').flatMap((paragraph) => {
    const findings = checkText(paragraph, file, line)
    line += paragraph.split('\n').length + 1
    return findings
  })
}

const checkFileName = (file: string): Finding[] => {
  const [name = ''] = basename(file).split('.')
  return checkName(name, file, [...NAME_RULES, ...FILE_RULES]).map(({ write }) => ({
    file,
    line: 0,
    found: name,
    write,
  }))
}

/** Checks one file. `file` is its path from the root of the repository, with `/`. */
export const checkFile = (file: string, source: string): Finding[] =>
  CODE.test(file) ? [...checkFileName(file), ...checkCode(source, file)] : checkDocument(source, file)
