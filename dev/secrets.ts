import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { formatFileError, readTextFile } from './text-file.ts'

const text = v.pipe(v.string('is not text'), v.regex(/^[\x21-\x7E]+$/, 'is empty or has invalid characters'))
const credentials = v.object({ clientId: text, clientSecret: text }, 'is missing')
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

/** The secrets of the local set-up. */
export type Secrets = v.InferOutput<typeof SECRETS>

const createSecret = () => randomBytes(24).toString('base64url')

const createSecrets = (): Secrets => ({
  apiKey: createSecret(),
  production: { clientId: `local-production-${createSecret()}`, clientSecret: createSecret() },
  sandbox: { clientId: `local-sandbox-${createSecret()}`, clientSecret: createSecret() },
  awsSecretAccessKey: createSecret(),
  tokenEncryptionKeys: `local:${randomBytes(32).toString('base64')}`,
})

const isNamed = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code

/** Writes a new file and links it, so that the secrets are complete and never replace existing ones. */
const createOnce = (path: string) => {
  if (existsSync(path)) return
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, `${JSON.stringify(createSecrets(), null, 2)}\n`, { mode: 0o600 })
  try {
    linkSync(unfinished, path)
  } catch (error) {
    // Some file systems have no links.
    if (!isNamed(error, 'EEXIST')) renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/** Throws its own message: the parser's message quotes the text. */
const parseJson = (json: string): unknown => {
  if (json.trim() === '') throw new Error('is empty')
  try {
    return JSON.parse(json)
  } catch {
    throw new Error('is not JSON: truncated or edited')
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
 * Loads the secrets of a data folder, or creates them at its first use. Only their owner can read the file. If it is damaged
 * or the folder cannot be used, throws an error that names the file and says what to do.
 */
export const loadLocalSecrets = (folder: string): Secrets => {
  const path = join(folder, 'secrets.json')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    createOnce(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new Error(`${folder} cannot be written to${code}. Change its owner, or set BROKER_DATA_DIR.`)
  }
  try {
    chmodSync(path, 0o600)
  } catch (error) {
    throw new Error(
      `${path} ${isNamed(error, 'EPERM') ? 'belongs to another user' : formatFileError(error)}. ` +
        'Run npm start as its owner, or set BROKER_DATA_DIR to a folder of your own.',
    )
  }
  const json = readTextFile(path)
  try {
    return parseSecrets(json)
  } catch (error) {
    throw new Error(
      `${path} ${formatFault(error)}. It has the keys of the data in its folder. Restore a copy of it, ` +
        `or remove ${folder} to start over without its connections.`,
    )
  }
}
