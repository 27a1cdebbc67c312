import { type PlainRecord, toPlainRecord } from './plain.ts'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Returns the records of one JSON value: of a page of `aws dynamodb scan` (`Items`), of a list, or the value itself.
 * `undefined` stands for a value that is not an object.
 */
export const toRecords = (value: unknown): (PlainRecord | undefined)[] => {
  if (Array.isArray(value)) return value.map(toPlainRecord)
  if (isObject(value) && Array.isArray(value['Items'])) return value['Items'].map(toPlainRecord)
  return [toPlainRecord(value)]
}

/** Whether another page follows. `aws` omits it with `--max-items` or `--no-paginate`. */
export const hasNextPage = (value: unknown): boolean =>
  isObject(value) && Array.isArray(value['Items']) && Boolean(value['LastEvaluatedKey'] ?? value['NextToken'])

/**
 * Whether the first line of a file starts a value of several lines, which `aws` and other programs print. Otherwise each
 * line is a value.
 */
export const startsDocument = (line: string): boolean =>
  /^(\[|(\[\s*)?\{|\{\s*"Items?"\s*:\s*[[{]?(\s*\{)?)$/.test(line.trim())

/** Strings with their escapes, and brackets: enough to find the end of a value. */
const PIECES = /"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs

interface Document {
  value: unknown
  /** The line where it starts. */
  line: number
}

const countLines = (text: string) => text.split('\n').length - 1

/** Names the line only: the message of `JSON.parse` quotes the text. */
const parseDocument = (text: string, line: number): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const at = line + (position === undefined ? 0 : countLines(text.slice(0, Number(position))))
    throw new Error(`line ${at} is not JSON`)
  }
}

/**
 * Parses one JSON document or several, such as the pages of a scan in one file. Throws an error with the line of a document
 * that is truncated or not JSON.
 */
export function* parseJsonDocuments(text: string): Generator<Document> {
  let [start, depth, line] = [0, 0, 1]
  for (const { 0: piece, index } of text.matchAll(PIECES)) {
    if (piece === '[' || piece === '{') depth++
    if (piece !== ']' && piece !== '}') continue
    depth--
    if (depth > 0) continue
    const document = text.slice(start, index + 1)
    const startLine = line + countLines(document.slice(0, document.search(/\S/)))
    yield { value: parseDocument(document, startLine), line: startLine }
    line += countLines(document)
    start = index + 1
  }
  const rest = text.slice(start)
  if (rest.trim() === '') return
  const startLine = line + countLines(rest.slice(0, rest.search(/\S/)))
  throw new Error(
    depth > 0 ? `the JSON that starts in line ${startLine} is truncated` : `line ${startLine} is not JSON`,
  )
}
