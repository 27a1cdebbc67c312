import * as v from 'valibot'
import { environmentFor, parseCompanyKey, parseCompanyName, removeInvisible } from '../../src/broker/company.ts'
import type { Vault } from '../../src/broker/ports/crypto.ts'
import { Problem } from '../../src/problem.ts'
import { toAttributes } from '../../src/storage/attribute-values.ts'
import { toFleetAttributes } from '../../src/storage/fleet-keys.ts'
import type { PlainRecord } from './plain.ts'

const ENCRYPTED_PREFIX = 'sealed:v1:'
/** The year 5138. In milliseconds it is the year 1973. */
const LATEST = 99_999_999_999

const token = v.pipe(v.string('is not a token'), v.regex(/^[\x21-\x7E]{1,8192}$/, 'is not a token'))

const NOT_A_TIME = 'is not a time in seconds'
const time = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number))], NOT_A_TIME),
  v.transform(Math.floor),
  v.minValue(0, NOT_A_TIME),
  v.maxValue(LATEST, 'is in milliseconds; it must be in seconds'),
)

const realmId = v.pipe(
  v.union([v.string(), v.number()], 'is not 1 to 19 digits'),
  v.check(
    (id) => typeof id === 'string' || Number.isSafeInteger(id),
    'is a number too long to be exact; write it as a string',
  ),
  v.transform(String),
  v.regex(/^[1-9]\d{0,18}$/, 'is not 1 to 19 digits'),
)

/** Checks a text with a parser of the broker, which throws. */
const checkWith = (parse: (text: string) => string | undefined) =>
  v.pipe(
    v.string('is not a string'),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      try {
        parse(dataset.value)
      } catch (error) {
        addIssue({ message: error instanceof Problem ? `is malformed: ${error.message}` : 'is malformed' })
      }
    }),
  )

/** A connection of an existing table: the attributes of the API reference, and those of the broker that stay valid. */
const RECORD = v.object({
  company_key: checkWith(parseCompanyKey),
  company_name: v.optional(v.pipe(checkWith(parseCompanyName), v.transform(removeInvisible))),
  realm_id: v.optional(realmId),
  access_token: v.optional(token),
  refresh_token: token,
  refresh_token_hash: v.optional(v.pipe(v.string('is not a SHA-256'), v.regex(/^[0-9a-f]{64}$/, 'is not a SHA-256'))),
  access_token_expires_at: v.optional(time),
  refresh_token_expires_at: v.optional(time),
  refresh_token_hard_expires_at: v.optional(time),
  created_at: v.optional(time),
  updated_at: v.optional(time),
  last_refresh_at: v.optional(time),
  last_rotation_at: v.optional(time),
  uses_sandbox_credentials: v.optional(v.boolean('is not true or false')),
  environment: v.optional(v.picklist(['sandbox', 'production'], 'is not sandbox or production')),
  generation: v.optional(
    v.pipe(v.number('is not a number'), v.safeInteger('is not whole'), v.minValue(0, 'is negative')),
  ),
})

/** A valid record. */
export type ImportRecord = v.InferOutput<typeof RECORD>

/** `skipped`: the item is not a connection. A reason names attributes and never shows a value. */
export type Reading =
  | { outcome: 'read'; record: ImportRecord }
  | { outcome: 'rejected'; reason: string }
  | { outcome: 'skipped' }

const CONNECTION = 'connection#'

const addCompanyKey = (values: PlainRecord): PlainRecord => {
  const { pk } = values
  const named = typeof pk === 'string' && pk.startsWith(CONNECTION) ? { company_key: pk.slice(CONNECTION.length) } : {}
  return { ...named, ...values }
}

const formatIssues = (issues: readonly v.BaseIssue<unknown>[]) =>
  issues.map((issue) => `${v.getDotPath(issue)} ${issue.input === undefined ? 'is missing' : issue.message}`).join('; ')

const findContradiction = (record: ImportRecord, pk: unknown): string | undefined => {
  if (typeof pk === 'string' && pk.startsWith(CONNECTION) && pk !== `${CONNECTION}${record.company_key}`) {
    return 'pk and company_key name different connections'
  }
  if (record.uses_sandbox_credentials !== undefined && record.environment !== undefined) {
    const isSandbox = record.environment === 'sandbox'
    if (isSandbox !== record.uses_sandbox_credentials) return 'uses_sandbox_credentials and environment contradict'
  }
  if (record.refresh_token.startsWith(ENCRYPTED_PREFIX) && !record.refresh_token_hash) {
    return 'refresh_token is encrypted and refresh_token_hash is missing'
  }
  return undefined
}

/** Validates one record. */
export const readRecord = (values: PlainRecord): Reading => {
  const { pk } = values
  const isOtherKind = typeof pk === 'string' && /^[a-z_]+#/.test(pk) && !pk.startsWith(CONNECTION)
  if (isOtherKind) return { outcome: 'skipped' }
  const result = v.safeParse(RECORD, addCompanyKey(values))
  if (!result.success) return { outcome: 'rejected', reason: formatIssues(result.issues) }
  const reason = findContradiction(result.output, pk)
  return reason ? { outcome: 'rejected', reason } : { outcome: 'read', record: result.output }
}

const usesSandbox = (record: ImportRecord, companyName: string) => {
  const { uses_sandbox_credentials: given, environment } = record
  return given ?? (environment ?? environmentFor(record.company_key, companyName)) === 'sandbox'
}

/** Converts a record to the item to store. Encrypts plain tokens; encrypted tokens stay as they are. */
export const toItem = async (record: ImportRecord, vault: Vault, now: number) => {
  const { company_key: companyKey, access_token: access, refresh_token: refresh, environment: _, ...rest } = record
  const companyName = parseCompanyName(record.company_name) ?? companyKey
  const encrypt = (name: 'access_token' | 'refresh_token', text: string) =>
    text.startsWith(ENCRYPTED_PREFIX) ? text : vault.encrypt(companyKey, name, text)
  return toAttributes({
    ...rest,
    pk: `${CONNECTION}${companyKey}`,
    company_key: companyKey,
    company_name: companyName,
    access_token: access && (await encrypt('access_token', access)),
    refresh_token: await encrypt('refresh_token', refresh),
    refresh_token_hash: refresh.startsWith(ENCRYPTED_PREFIX) ? record.refresh_token_hash : await vault.digest(refresh),
    uses_sandbox_credentials: usesSandbox(record, companyName),
    generation: record.generation || 1,
    created_at: record.created_at ?? now,
    updated_at: record.updated_at ?? now,
    ...toFleetAttributes({
      companyKey,
      holdsRefreshToken: true,
      refreshTokenExpiresAt: record.refresh_token_expires_at,
      refreshTokenHardExpiresAt: record.refresh_token_hard_expires_at,
    }),
  })
}
