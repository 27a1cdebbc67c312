import type { TokenResult, Used, UseGuard } from '../broker/ports/intuit.ts'
import type { ClientCredentials } from '../config/config.ts'
import { basicAuthorization } from './client-authentication.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { parseTokenResult } from './token-response.ts'

/** Room for two tokens of 16 KB each, far beyond what Intuit documents. */
const MAX_ANSWER_BYTES = 65_536

interface TokenEndpoint {
  url: string
  fetch: typeof fetch
  /** Milliseconds since the epoch. */
  now(): number
  sleep(milliseconds: number): Promise<void>
  /** How long the caller waits. */
  timeoutMs: number
  /** How long an answer is listened for, the caller's time included. */
  listenMs: number
}

/** The body as text, or `undefined` once it proves longer than anything Intuit sends. */
async function boundedText(response: Response): Promise<string | undefined> {
  let text = ''
  if (!response.body) return text
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > MAX_ANSWER_BYTES) return undefined
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

export type GrantType = 'authorization_code' | 'refresh_token'

/** A time that is slept through in so many parts. */
const PARTS = 10

/**
 * Sleeps for a time in which this Worker runs. A Worker that was frozen finds all its timers over when it wakes, while
 * an answer may lie unread in its buffers: then only one part of the time is over.
 */
async function sleepAwake(milliseconds: number, sleep: TokenEndpoint['sleep']): Promise<void> {
  for (let part = 0; part < PARTS; part++) await sleep(milliseconds / PARTS)
}

/**
 * Uses a code or a refresh token at Intuit. Never throws for what Intuit or the network does.
 *
 * A code is sent once: a second time could kill the tokens of the first. A refresh token, which comes with a guard, is
 * sent once more where the connection broke, as that has ended the first request. It is never sent again after a
 * timeout, when the first request may still be under way. A request that timed out is not aborted: its answer may hold
 * the only living refresh token, and is listened for until `listenMs` is over.
 *
 * RFC 6749 sections 4.1.3 and 6, HTTP Basic by section 2.3.1.
 */
export async function redeem(
  { url, fetch, now, sleep, timeoutMs, listenMs }: TokenEndpoint,
  client: ClientCredentials,
  grantType: GrantType,
  parameters: Record<string, string>,
  guard?: UseGuard,
): Promise<Used> {
  const headers = {
    Authorization: basicAuthorization(client),
    Accept: 'application/json',
    'x-include-refresh-token-hard-expires-in': 'true',
  }
  const form = new URLSearchParams({ grant_type: grantType, ...parameters })
  const listening = new AbortController()

  /** Resolves to `undefined` where the connection broke. */
  const send = async (): Promise<TokenResult | undefined> => {
    try {
      const { signal } = listening
      const response = await fetch(url, { method: 'POST', headers, body: form, redirect: 'manual', signal })
      const text = await boundedText(response)
      const { status, headers: answered } = response
      const intuitTid = answered.get('intuit_tid') ?? undefined
      const answer = { status, text, intuitTid, retryAfterSeconds: retryAfterSeconds(answered, now()) }
      return parseTokenResult(answer, Math.floor(now() / 1000))
    } catch {
      return undefined
    }
  }

  const timedOut = sleepAwake(timeoutMs, sleep).then(() => 'timed out' as const)
  void timedOut.then(() => sleepAwake(listenMs - timeoutMs, sleep)).then(() => listening.abort())
  for (let left = guard ? 2 : 1; left > 0; left--) {
    if (guard && !guard.mayUse()) break
    const sent = send()
    const answer = await Promise.race([sent, timedOut])
    if (answer === 'timed out') return { answer: UNAVAILABLE, late: sent }
    if (answer) return { answer, late: undefined }
    if (left > 1 && !(await guard?.isStillHeld())) break
  }
  return { answer: UNAVAILABLE, late: undefined }
}
