import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { encodingFault, fileFault, readTextFile } from '../text-file.ts'
import { beginsDocument, hasNextPage, jsonDocuments, toRecords } from './json-documents.ts'
import { type Found, PAGE_SIZE, type Page, type Source } from './source.ts'

/** A document is read as a whole; V8's strings end at half a gigabyte. */
const LARGEST_DOCUMENT = 400 * 1024 * 1024
/** Stands for what is not UTF-8. */
const REPLACEMENT = '\uFFFD'

/**
 * The lines of a UTF-8 file without its byte-order mark. Node's own reader of lines would also end one at U+2028, which
 * JSON allows within a string.
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

/** What a line holds. A comma at its end is left of a list whose records stood in lines of their own. */
const readLine = (line: string, number: number): { found: Found[]; hasNext: boolean } => {
  const place = `line ${number}`
  const text = line.trim().replace(/,$/, '')
  if (text.includes(REPLACEMENT))
    return { found: [{ place, values: undefined, fault: 'is not UTF-8' }], hasNext: false }
  try {
    const documents = [...jsonDocuments(text)].map(({ value }) => value)
    const records = documents.flatMap(toRecords)
    const placeOf = (index: number) => (records.length > 1 ? `${place}, item ${index + 1}` : place)
    const found = records.map((values, index) => ({ place: placeOf(index), values }))
    return { found, hasNext: hasNextPage(documents.at(-1)) }
  } catch {
    return { found: [{ place, values: undefined }], hasNext: false }
  }
}

const notWhole = (path: string) =>
  `${path} ends with a page that another one follows: the scan is not whole. Scan without --max-items.`

async function* linePages(path: string, skipped: number, warn: (text: string) => void): AsyncGenerator<Page> {
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
  if (hasNext) warn(notWhole(path))
  yield { found, next: undefined }
}

/** A document is looked at as a whole before the first record is taken over: one that is cut short imports nothing. */
function* documentPages(path: string, skipped: number, warn: (text: string) => void): Generator<Page> {
  const documents = [...jsonDocuments(readTextFile(path))]
  if (hasNextPage(documents.at(-1)?.value)) warn(notWhole(path))
  const found = documents
    .flatMap(({ value }) => toRecords(value))
    .map((values, index): Found => ({ place: `item ${index + 1}`, values }))
  for (let first = skipped; first < found.length; first += PAGE_SIZE) {
    const next = first + PAGE_SIZE
    yield { found: found.slice(first, next), next: next < found.length ? next : undefined }
  }
}

const fileSize = (path: string): number => {
  try {
    const file = openSync(path, 'r')
    try {
      const size = fstatSync(file).size
      const first = Buffer.alloc(Math.min(size, 64))
      readSync(file, first)
      const fault = encodingFault(first)
      if (fault) throw new Error(`${path} ${fault}.`)
      return size
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new Error(`${path} ${fileFault(error)}.`)
    throw error
  }
}

const firstLine = async (path: string): Promise<string | undefined> => {
  for await (const line of readLines(path)) if (line.trim() !== '') return line
  return undefined
}

/**
 * Records of a file: JSON lines, or JSON as `aws dynamodb scan` prints it. A page begins after a number of lines, or of
 * records. Throws where the file cannot be read, is empty or is no UTF-8; `pages` throws where a document is no JSON.
 */
export const fileSource = (path: string, warn: (text: string) => void): Source => {
  const size = fileSize(path)
  return {
    name: `${resolve(path)}, ${size} bytes`,
    async *pages(from) {
      const skipped = typeof from === 'number' ? from : 0
      const first = await firstLine(path)
      if (first === undefined) throw new Error(`${path} is empty.`)
      if (!beginsDocument(first)) return yield* linePages(path, skipped, warn)
      if (size > LARGEST_DOCUMENT) {
        throw new Error(`${path} is too large for one JSON document. Make lines of it: jq -c '.Items[]'`)
      }
      try {
        yield* documentPages(path, skipped, warn)
      } catch (error) {
        throw error instanceof Error && / is (no JSON|cut short)$/.test(error.message)
          ? new Error(`${path}: ${error.message}. Nothing of it was taken over.`)
          : error
      }
    },
  }
}
