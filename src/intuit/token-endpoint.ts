import type { TokenResult, Used, UseGuard } from '../broker/ports/intuit.ts'
import { nowSeconds } from '../broker/timing.ts'
import type { ClientCredentials } from '../config/config.ts'
import { createBasicAuthorization } from './client-authentication.ts'
import { readIntuitTid } from './intuit-tid.ts'
import { parseRetryAfter } from './retry-after.ts'
import { parseTokenResult } from './token-response.ts'

/** Enough for two tokens of 16 KB, far more than Intuit documents. */
const MAX_RESPONSE_BYTES = 65_536

interface TokenEndpoint {
  url: string
  fetch: typeof fetch
  /** Milliseconds since the epoch. */
  now(): number
  sleep(milliseconds: number): Promise<void>
  /** How long the caller waits for a response. */
  timeoutMs: number
  /** How long the Worker waits for a response, including `timeoutMs`. */
  listenMs: number
}

/** Reads a body as text. `undefined`: it is longer than `MAX_RESPONSE_BYTES`. */
async function readText(response: Response): Promise<string | undefined> {
  let text = ''
  if (!response.body) return text
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > MAX_RESPONSE_BYTES) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

const UNAVAILABLE: TokenResult = {
  ok: false,
  reason: 'unavailable',
  intuitError: undefined,
  intuitTid: undefined,
  retryAfterSeconds: undefined,
}

/** The `grant_type` parameter of a token request. */
export type GrantType = 'authorization_code' | 'refresh_token'

/** The number of short sleeps that make up one long sleep. */
const SLEEPS = 10

/**
 * Sleeps in several short sleeps. When a frozen Worker continues, its timers fire at once, while a response may be unread
 * in its buffers. With short sleeps, only one of them ends early.
 */
async function sleepInSteps(milliseconds: number, sleep: TokenEndpoint['sleep']): Promise<void> {
  for (let step = 0; step < SLEEPS; step++) await sleep(milliseconds / SLEEPS)
}

/**
 * Exchanges a code or a refresh token at Intuit (RFC 6749 sections 4.1.3 and 6). Never throws for errors of Intuit or of
 * the network.
 *
 * A code is sent once: a second request could revoke the tokens of the first. A refresh token has a `guard`. It is sent
 * once more if the connection broke, because that ends the first request. It is never sent again after a timeout, because
 * the first request may still be running. A request that timed out is not aborted: its response may contain the only valid
 * refresh token. The Worker waits for it until `listenMs` has passed.
 */
export async function redeem(
  { url, fetch, now, sleep, timeoutMs, listenMs }: TokenEndpoint,
  client: ClientCredentials,
  grantType: GrantType,
  parameters: Record<string, string>,
  guard?: UseGuard,
): Promise<Used> {
  const headers = {
    Authorization: createBasicAuthorization(client),
    Accept: 'application/json',
    'x-include-refresh-token-hard-expires-in': 'true',
  }
  const form = new URLSearchParams({ grant_type: grantType, ...parameters })
  const abort = new AbortController()

  /** Resolves to `undefined` if the connection broke. */
  const send = async (): Promise<TokenResult | undefined> => {
    try {
      const { signal } = abort
      const response = await fetch(url, { method: 'POST', headers, body: form, redirect: 'manual', signal })
      const text = await readText(response)
      const { status } = response
      const intuitTid = readIntuitTid(response.headers)
      const retryAfterSeconds = parseRetryAfter(response.headers, now())
      return parseTokenResult({ status, text, intuitTid, retryAfterSeconds }, nowSeconds({ now }))
    } catch {
      return undefined
    }
  }

  const timedOut = sleepInSteps(timeoutMs, sleep).then(() => 'timed out' as const)
  void timedOut.then(() => sleepInSteps(listenMs - timeoutMs, sleep)).then(() => abort.abort())
  for (let attemptsLeft = guard ? 2 : 1; attemptsLeft > 0; attemptsLeft--) {
    if (guard && !guard.mayUse()) break
    const sent = send()
    const answer = await Promise.race([sent, timedOut])
    if (answer === 'timed out') return { answer: UNAVAILABLE, late: sent }
    if (answer) return { answer, late: undefined }
    if (attemptsLeft > 1 && !(await guard?.isStillHeld())) break
  }
  return { answer: UNAVAILABLE, late: undefined }
}
