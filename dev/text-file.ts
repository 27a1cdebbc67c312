import { readFileSync } from 'node:fs'

const UTF_16 = ['fffe', 'feff']

const REASONS: Record<string, string> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'cannot be read by this user',
  EPERM: 'cannot be read by this user',
}

/** Describes a system error. The text follows the path of the file. */
export const formatFileError = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return REASONS[code] ?? `could not be read (${code})`
}

/** Finds the fault in the first bytes of a file that should be UTF-8. The text follows the path of the file. */
export const findEncodingFault = (first: Uint8Array): string | undefined => {
  const start = Buffer.from(first)
  const mark = start.toString('hex', 0, 2)
  if (mark === '1f8b') return 'is compressed. Run gunzip on it first'
  if (UTF_16.includes(mark) || start.includes(0)) return 'is UTF-16. Save it as UTF-8'
  return undefined
}

/** Reads a UTF-8 file without its byte-order mark. Throws an error that names the file. */
export const readTextFile = (path: string): string => {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new Error(`${path} ${formatFileError(error)}.`)
  }
  const fault = findEncodingFault(bytes.subarray(0, 64))
  if (fault) throw new Error(`${path} ${fault}.`)
  try {
    // The decoder removes the byte-order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error(`${path} is not UTF-8 text.`)
  }
}
