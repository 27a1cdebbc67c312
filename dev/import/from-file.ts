import { createReadStream, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { plainRecord } from './plain.ts'
import { type Found, PAGE_SIZE, type Source } from './source.ts'

const foundAt = (line: string, number: number): Found => {
  const place = `line ${number}`
  try {
    return { place, values: plainRecord(JSON.parse(line)) }
  } catch {
    // The parser's message quotes what it could not read.
    return { place, values: undefined }
  }
}

/** Records of a JSON lines file. A page begins after a number of lines. Throws where the file cannot be read. */
export const fileSource = (path: string): Source => ({
  name: `${resolve(path)}, ${statSync(path).size} bytes`,
  async *pages(from) {
    const skipped = typeof from === 'number' ? from : 0
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
    let number = 0
    let found: Found[] = []
    for await (const line of lines) {
      number++
      if (number <= skipped || line.trim() === '') continue
      found.push(foundAt(line, number))
      if (found.length < PAGE_SIZE) continue
      yield { found, next: number }
      found = []
    }
    yield { found, next: undefined }
  },
})
