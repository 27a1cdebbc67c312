import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { fileFault, readTextFile } from './text-file.ts'

const text = v.pipe(v.string('is not text'), v.regex(/^[\x21-\x7E]+$/, 'is empty or has characters that no secret has'))
const credentials = v.object({ clientId: text, clientSecret: text }, 'is not there')
const SECRETS = v.object(
  {
    apiKey: text,
    production: credentials,
    sandbox: credentials,
    awsSecretAccessKey: text,
    tokenEncryptionKeys: v.pipe(
      text,
      v.regex(/^[\w.-]{1,64}:[A-Za-z0-9+/]{43}=(,[\w.-]{1,64}:[A-Za-z0-9+/]{43}=)*$/, 'is not kid:base64(32 bytes)'),
    ),
  },
  'is not a JSON object',
)

/** What the local set-up needs to know and nobody else does. */
export type Secrets = v.InferOutput<typeof SECRETS>

const random = () => randomBytes(24).toString('base64url')

const generate = (): Secrets => ({
  apiKey: random(),
  production: { clientId: `local-production-${random()}`, clientSecret: random() },
  sandbox: { clientId: `local-sandbox-${random()}`, clientSecret: random() },
  awsSecretAccessKey: random(),
  tokenEncryptionKeys: `local:${randomBytes(32).toString('base64')}`,
})

const isNamed = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code

/** Written beside and linked into place: it is there whole or not at all, and never replaces one that is there. */
const createOnce = (path: string) => {
  if (existsSync(path)) return
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, `${JSON.stringify(generate(), null, 2)}\n`, { mode: 0o600 })
  try {
    linkSync(unfinished, path)
  } catch (error) {
    // Not every file system has links.
    if (!isNamed(error, 'EEXIST')) renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/** The parser's own message would quote the secrets. */
const parseJson = (json: string): unknown => {
  if (json.trim() === '') throw new Error('is empty')
  try {
    return JSON.parse(json)
  } catch {
    throw new Error('is no JSON: cut short or edited')
  }
}

const parseSecrets = (json: string): Secrets => {
  const result = v.safeParse(SECRETS, parseJson(json))
  if (result.success) return result.output
  const [issue] = result.issues
  const place = v.getDotPath(issue)
  throw new Error(
    place ? `has a fault: ${place} ${issue.input === undefined ? 'is missing' : issue.message}` : issue.message,
  )
}

const formatFault = (error: unknown) => (error instanceof Error ? error.message : 'could not be read')

/**
 * The secrets of a data folder, made at its first use and readable by their owner alone. Throws an error that names the
 * file and says what to do where it is damaged, or the folder cannot be used.
 */
export const localSecrets = (folder: string): Secrets => {
  const path = join(folder, 'secrets.json')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    createOnce(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new Error(`${folder} cannot be written to${code}. Make it a folder of your own, or set BROKER_DATA_DIR.`)
  }
  try {
    chmodSync(path, 0o600)
  } catch (error) {
    throw new Error(
      `${path} ${isNamed(error, 'EPERM') ? 'belongs to another user' : fileFault(error)}. ` +
        'Run npm start as its owner, or set BROKER_DATA_DIR to a folder of your own.',
    )
  }
  const json = readTextFile(path)
  try {
    return parseSecrets(json)
  } catch (error) {
    throw new Error(
      `${path} ${formatFault(error)}. It holds the keys to the data beside it: put back a copy of it, ` +
        `or remove ${folder} to begin anew, without the connections in it.`,
    )
  }
}
