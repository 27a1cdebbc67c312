import type { RevocationResult } from '../broker/ports/intuit.ts'
import type { ClientCredentials } from '../config/config.ts'
import { createBasicAuthorization } from './client-authentication.ts'
import { readIntuitTid } from './intuit-tid.ts'

/** Shorter than the timeout of a refresh, because a revocation can be repeated. */
const TIMEOUT_MS = 5_000

interface RevocationEndpoint {
  url: string
  fetch: typeof fetch
}

/** Intuit responds with 400 to every failure, also if the token is already revoked. A retry would not help. */
function classifyOutcome(status: number): RevocationResult['outcome'] {
  if (status === 200) return 'revoked'
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'refused' : 'unavailable'
}

/**
 * Revokes a token, and with it the whole grant. Intuit's variant of RFC 7009: HTTP Basic, the token in JSON, a response
 * without a body. Never throws for errors of Intuit or of the network.
 */
export async function revokeToken(
  { url, fetch }: RevocationEndpoint,
  client: ClientCredentials,
  token: string,
): Promise<RevocationResult> {
  const headers = {
    Authorization: createBasicAuthorization(client),
    'Content-Type': 'application/json',
    Accept: 'application/json',
  }
  try {
    const body = JSON.stringify({ token })
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return { outcome: classifyOutcome(response.status), intuitTid: readIntuitTid(response.headers) }
  } catch {
    return { outcome: 'unavailable', intuitTid: undefined }
  }
}
