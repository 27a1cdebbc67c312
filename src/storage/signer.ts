import type { StorageSettings } from '../config/config.ts'
import { hex, rememberingSha256, sha256, sha256Hex } from '../crypto/digest.ts'
import { hmac, hmacKey } from '../crypto/hmac.ts'

/** What is the same for all requests of one day (UTC). */
interface Day {
  /** `20260105` */
  name: string
  scope: string
  key: CryptoKey
}

/** Reads whose digests are remembered. */
const MAX_PAYLOADS = 1_000

const ALGORITHM = 'AWS4-HMAC-SHA256'
const encoder = new TextEncoder()

/** The day's signing key: secret, day, region and service, one folded into the other. */
async function signingKey(secret: string, parts: string[]) {
  let key = await hmacKey(encoder.encode(`AWS4${secret}`))
  for (const part of parts) key = await hmacKey(await hmac(key, part))
  return key
}

/** `2026-01-05T10:11:12.131Z` → `20260105T101112Z` */
function compact(milliseconds: number) {
  const iso = new Date(milliseconds).toISOString()
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`
}

/**
 * Signs DynamoDB requests by Signature Version 4 (AWS General Reference), as aws4fetch does to the byte, with what is
 * the same for every request of a day prepared once. Returns the headers to send with the POST. Keep one per isolate.
 */
export function dynamoDbSigner(settings: Omit<StorageSettings, 'timeoutMs'>) {
  const { accessKeyId, secretAccessKey, sessionToken, region } = settings
  const { host, pathname } = new URL(settings.endpoint)
  const signedHeaders = `host;x-amz-date;${sessionToken ? 'x-amz-security-token;' : ''}x-amz-target`
  const tokenLine = sessionToken ? `x-amz-security-token:${sessionToken}\n` : ''
  const tokenHeader = sessionToken ? { 'X-Amz-Security-Token': sessionToken } : {}
  // Reads of one record are alike. What is written is not, and may hold a state.
  const payloadDigest = rememberingSha256(MAX_PAYLOADS)
  let prepared: Day | undefined

  const dayOf = async (name: string): Promise<Day> => {
    if (prepared?.name === name) return prepared
    const key = await signingKey(secretAccessKey, [name, region, 'dynamodb', 'aws4_request'])
    prepared = { name, scope: `${name}/${region}/dynamodb/aws4_request`, key }
    return prepared
  }

  return async (operation: string, payload: string, milliseconds: number): Promise<Record<string, string>> => {
    const date = compact(milliseconds)
    const { scope, key } = await dayOf(date.slice(0, 8))
    const target = `DynamoDB_20120810.${operation}`
    const headerLines = `host:${host}\nx-amz-date:${date}\n${tokenLine}x-amz-target:${target}\n`
    const digest = operation === 'GetItem' ? payloadDigest : sha256
    const canonical = `POST\n${pathname}\n\n${headerLines}\n${signedHeaders}\n${hex(await digest(payload))}`
    const signature = hex(await hmac(key, `${ALGORITHM}\n${date}\n${scope}\n${await sha256Hex(canonical)}`))
    return {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Date': date,
      'X-Amz-Target': target,
      ...tokenHeader,
      Authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    }
  }
}
