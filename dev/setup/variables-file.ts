import { writeFileSync } from 'node:fs'
import type { ProductionVariables } from './safe-variables.ts'

const HEADER = `# Secrets of the deployed Worker. Store this file as you store passwords.
# Keep a second copy of TOKEN_ENCRYPTION_KEYS, separate from the table's backups.
`

/** Quotes a value with a space, so that a shell can also read the file. */
const quote = (value: string) => (value.includes(' ') ? `"${value}"` : value)

/** Formats a file for npm run doctor and wrangler: one line for each variable. */
export const formatVariables = (variables: ProductionVariables): string =>
  HEADER +
  Object.entries(variables)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('')

/**
 * Creates the file with mode 600. Never replaces a file and never follows a link: an earlier file may have the only copy
 * of the encryption keys. Throws an error that names the file.
 */
export const createVariablesFile = (path: string, variables: ProductionVariables): void => {
  try {
    writeFileSync(path, formatVariables(variables), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new Error(
      code === 'EEXIST'
        ? `${path} exists and was not changed: it may have the only copy of your encryption keys. Rename it, or use --out.`
        : `${path} cannot be written (${code || 'unknown error'}).`,
    )
  }
}
