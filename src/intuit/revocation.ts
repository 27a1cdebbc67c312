import type { RevocationResult } from '../broker/ports/intuit.ts'
import type { ClientCredentials } from '../config/config.ts'
import { basicAuthorization } from './client-authentication.ts'

/** A revocation can be asked for again, so one that hangs is not waited for as a refresh is. */
const TIMEOUT_MS = 5_000

interface RevocationEndpoint {
  url: string
  fetch: typeof fetch
}

/** 400 is Intuit's word for every failure, and for a token that is revoked already: asking again would change nothing. */
function classifyOutcome(status: number): RevocationResult['outcome'] {
  if (status === 200) return 'revoked'
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'refused' : 'unavailable'
}

/**
 * Revokes a refresh token, and with it the whole grant. Intuit's form of RFC 7009: HTTP Basic, the token in JSON, no
 * body in the answer. Never throws for what Intuit or the network does.
 */
export async function revokeAt(
  { url, fetch }: RevocationEndpoint,
  client: ClientCredentials,
  token: string,
): Promise<RevocationResult> {
  const headers = {
    Authorization: basicAuthorization(client),
    'Content-Type': 'application/json',
    Accept: 'application/json',
  }
  try {
    const body = JSON.stringify({ token })
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await answer.body?.cancel()
    return { outcome: classifyOutcome(answer.status), intuitTid: answer.headers.get('intuit_tid') ?? undefined }
  } catch {
    return { outcome: 'unavailable', intuitTid: undefined }
  }
}
