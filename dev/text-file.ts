import { readFileSync } from 'node:fs'

const UTF_16 = ['fffe', 'feff']

const REASONS: Record<string, string> = {
  ENOENT: 'is not there',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
}

/** Why the system gives no file, in words that follow its path. */
export const fileFault = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return REASONS[code] ?? `could not be read (${code})`
}

/** What is wrong with the first bytes of a file that should be UTF-8, in words that follow its path. */
export const encodingFault = (first: Uint8Array): string | undefined => {
  const start = Buffer.from(first)
  const mark = start.toString('hex', 0, 2)
  if (mark === '1f8b') return 'is compressed. Run gunzip on it first'
  if (UTF_16.includes(mark) || start.includes(0)) return 'is UTF-16. Save it as UTF-8'
  return undefined
}

/** The text of a UTF-8 file, without the byte-order mark that some editors put first. Throws an error that names the file. */
export const readTextFile = (path: string): string => {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new Error(`${path} ${fileFault(error)}.`)
  }
  const fault = encodingFault(bytes.subarray(0, 64))
  if (fault) throw new Error(`${path} ${fault}.`)
  try {
    // Leaves the byte-order mark out.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error(`${path} is not UTF-8 text.`)
  }
}
