import { type PlainRecord, plainRecord } from './plain.ts'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The records of one JSON value: of a page of `aws dynamodb scan` (`Items`), of a list, or the value itself.
 * `undefined` for what is no object.
 */
export const toRecords = (value: unknown): (PlainRecord | undefined)[] => {
  if (Array.isArray(value)) return value.map(plainRecord)
  if (isObject(value) && Array.isArray(value['Items'])) return value['Items'].map(plainRecord)
  return [plainRecord(value)]
}

/** Whether a page of a scan says that another one follows, which `aws` leaves out with `--max-items` or `--no-paginate`. */
export const hasNextPage = (value: unknown): boolean =>
  isObject(value) && Array.isArray(value['Items']) && Boolean(value['LastEvaluatedKey'] ?? value['NextToken'])

/**
 * Whether the first line of a file is the beginning of a value that goes on below, as `aws` and other programs print JSON
 * for people. Otherwise each line is a value.
 */
export const beginsDocument = (line: string): boolean =>
  /^(\[|(\[\s*)?\{|\{\s*"Items?"\s*:\s*[[{]?(\s*\{)?)$/.test(line.trim())

/** A string with its escapes, or a bracket. Everything else needs no look to find where a value ends. */
const PIECES = /"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs

interface Document {
  value: unknown
  /** Where it begins. */
  line: number
}

const countLines = (text: string) => text.split('\n').length - 1

/** `JSON.parse` names a position; its message would quote the text. */
const parseDocument = (text: string, line: number): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const at = line + (position === undefined ? 0 : countLines(text.slice(0, Number(position))))
    throw new Error(`line ${at} is no JSON`)
  }
}

/**
 * The values of a text that holds one JSON document or several behind each other, as pages of a scan are appended to a
 * file. Throws an error that names the line where one is cut short or no JSON.
 */
export function* jsonDocuments(text: string): Generator<Document> {
  let [start, depth, line] = [0, 0, 1]
  for (const { 0: piece, index } of text.matchAll(PIECES)) {
    if (piece === '[' || piece === '{') depth++
    if (piece !== ']' && piece !== '}') continue
    depth--
    if (depth > 0) continue
    const document = text.slice(start, index + 1)
    const begins = line + countLines(document.slice(0, document.search(/\S/)))
    yield { value: parseDocument(document, begins), line: begins }
    line += countLines(document)
    start = index + 1
  }
  const rest = text.slice(start)
  if (rest.trim() === '') return
  const begins = line + countLines(rest.slice(0, rest.search(/\S/)))
  throw new Error(depth > 0 ? `the JSON that begins in line ${begins} is cut short` : `line ${begins} is no JSON`)
}
