import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

const text = v.pipe(v.string(), v.nonEmpty())
const clientPair = v.object({ clientId: text, clientSecret: text })
const SECRETS = v.object({
  apiKey: text,
  production: clientPair,
  sandbox: clientPair,
  awsSecretAccessKey: text,
  tokenEncryptionKeys: text,
})

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

/** The secrets of a data folder, made at its first use and readable by their owner alone. Throws where the file is damaged. */
export const localSecrets = (folder: string): Secrets => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'secrets.json')
  try {
    writeFileSync(path, `${JSON.stringify(generate(), null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!exists) throw error
  }
  chmodSync(path, 0o600)
  return v.parse(SECRETS, JSON.parse(readFileSync(path, 'utf8')))
}
