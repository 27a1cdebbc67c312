import type { IntuitAnswer } from '../broker/ports.ts'
import type { ClientPair } from '../config.ts'
import { basicAuthorization } from './basic.ts'
import { readAnswer } from './token-answer.ts'

/** Tokens have at most 4096 and 512 characters; nothing that Intuit means to say is longer than this. */
const MAX_ANSWER_BYTES = 65_536

interface TokenEndpoint {
  url: string
  fetch: typeof fetch
  /** Milliseconds since the epoch. */
  now(): number
  /** How long all of it may take: Workers stop work 30 s after the caller left, and the pair still has to be stored. */
  timeoutMs: number
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

export type GrantType = 'authorization_code' | 'refresh_token'

/**
 * Presents a code or a refresh token to Intuit. Never throws for what Intuit or the network does. A code is presented
 * once: a second time could kill the tokens of the first. A refresh token is presented once more, within the same
 * deadline, where the connection broke, and never after a timeout, when the first may still be under way.
 * RFC 6749 sections 4.1.3 and 6, HTTP Basic by section 2.3.1.
 */
export async function presentTo(
  { url, fetch, now, timeoutMs }: TokenEndpoint,
  client: ClientPair,
  grantType: GrantType,
  parameters: Record<string, string>,
): Promise<IntuitAnswer> {
  const headers = {
    Authorization: basicAuthorization(client),
    Accept: 'application/json',
    'x-include-refresh-token-hard-expires-in': 'true',
  }
  const form = new URLSearchParams({ grant_type: grantType, ...parameters })
  const signal = AbortSignal.timeout(timeoutMs)

  const presented = async (): Promise<IntuitAnswer> => {
    const response = await fetch(url, { method: 'POST', headers, body: form, redirect: 'manual', signal })
    const body = await boundedText(response)
    const intuitTid = response.headers.get('intuit_tid') ?? undefined
    return readAnswer(response.status, body, intuitTid, Math.floor(now() / 1000))
  }

  for (let left = grantType === 'refresh_token' ? 2 : 1; left > 0 && !signal.aborted; left--) {
    try {
      return await presented()
    } catch {
      // The connection broke, or the time is over.
    }
  }
  return { ok: false, refusal: 'unavailable', intuitTid: undefined, underWay: signal.aborted }
}
