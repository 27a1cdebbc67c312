import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { findEncodingFault, formatFileError, readTextFile } from '../text-file.ts'
import { hasNextPage, parseJsonDocuments, startsDocument, toRecords } from './json-documents.ts'
import { type Found, PAGE_SIZE, type Page, type Source } from './source.ts'

/** A document is read into one string. V8's limit for a string is half a gigabyte. */
const LARGEST_DOCUMENT = 400 * 1024 * 1024
/** The decoder puts it in the place of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD'

/**
 * Reads the lines of a UTF-8 file without its byte-order mark. Node's `readline` also breaks lines at U+2028, which JSON
 * allows in a string.
 */
async function* readLines(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of createReadStream(path)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest + decoder.decode()
}

/** Parses a line. Ignores a comma at its end, which a list with one record a line has. */
const readLine = (line: string, number: number): { found: Found[]; hasNext: boolean } => {
  const place = `line ${number}`
  const text = line.trim().replace(/,$/, '')
  if (text.includes(REPLACEMENT))
    return { found: [{ place, values: undefined, fault: 'is not UTF-8' }], hasNext: false }
  try {
    const documents = [...parseJsonDocuments(text)].map(({ value }) => value)
    const records = documents.flatMap(toRecords)
    const toPlace = (index: number) => (records.length > 1 ? `${place}, item ${index + 1}` : place)
    const found = records.map((values, index) => ({ place: toPlace(index), values }))
    return { found, hasNext: hasNextPage(documents.at(-1)) }
  } catch {
    return { found: [{ place, values: undefined }], hasNext: false }
  }
}

const toIncompleteWarning = (path: string) =>
  `${path} is an incomplete scan: another page follows its last one. Scan without --max-items.`

async function* readLinePages(path: string, skipped: number, warn: (text: string) => void): AsyncGenerator<Page> {
  let number = 0
  let found: Found[] = []
  let hasNext = false
  for await (const line of readLines(path)) {
    number++
    if (number <= skipped || line.trim() === '') continue
    const read = readLine(line, number)
    hasNext = read.hasNext
    found.push(...read.found)
    if (found.length < PAGE_SIZE) continue
    yield { found, next: number }
    found = []
  }
  if (hasNext) warn(toIncompleteWarning(path))
  yield { found, next: undefined }
}

/** Parses the whole document before the first record is imported, so that a truncated document imports nothing. */
function* readDocumentPages(path: string, skipped: number, warn: (text: string) => void): Generator<Page> {
  const documents = [...parseJsonDocuments(readTextFile(path))]
  if (hasNextPage(documents.at(-1)?.value)) warn(toIncompleteWarning(path))
  const found = documents
    .flatMap(({ value }) => toRecords(value))
    .map((values, index): Found => ({ place: `item ${index + 1}`, values }))
  for (let first = skipped; first < found.length; first += PAGE_SIZE) {
    const next = first + PAGE_SIZE
    yield { found: found.slice(first, next), next: next < found.length ? next : undefined }
  }
}

/** Throws if the file cannot be read or is not UTF-8. */
const readFileSize = (path: string): number => {
  try {
    const file = openSync(path, 'r')
    try {
      const size = fstatSync(file).size
      const first = Buffer.alloc(Math.min(size, 64))
      readSync(file, first)
      const fault = findEncodingFault(first)
      if (fault) throw new Error(`${path} ${fault}.`)
      return size
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new Error(`${path} ${formatFileError(error)}.`)
    throw error
  }
}

const readFirstLine = async (path: string): Promise<string | undefined> => {
  for await (const line of readLines(path)) if (line.trim() !== '') return line
  return undefined
}

/**
 * Reads the records of a file: JSON lines, or the output of `aws dynamodb scan`. A page starts after a number of lines or
 * records. Throws if the file cannot be read or is not UTF-8. `pages` throws if it is empty or a document is not JSON.
 */
export const createFileSource = (path: string, warn: (text: string) => void): Source => {
  const size = readFileSize(path)
  return {
    name: `${resolve(path)}, ${size} bytes`,
    async *pages(from) {
      const skipped = typeof from === 'number' ? from : 0
      const first = await readFirstLine(path)
      if (first === undefined) throw new Error(`${path} is empty.`)
      if (!startsDocument(first)) return yield* readLinePages(path, skipped, warn)
      if (size > LARGEST_DOCUMENT) {
        throw new Error(`${path} is too large for one JSON document. Convert it to JSON lines: jq -c '.Items[]'`)
      }
      try {
        yield* readDocumentPages(path, skipped, warn)
      } catch (error) {
        throw error instanceof Error && / is (not JSON|truncated)$/.test(error.message)
          ? new Error(`${path}: ${error.message}. Nothing was imported.`)
          : error
      }
    },
  }
}
