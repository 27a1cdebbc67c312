import * as oauth from 'oauth4webapi'
import type { IntuitAnswer } from '../broker/ports.ts'
import type { ClientPair } from '../config.ts'
import { readAnswer } from './token-answer.ts'

/** Our own deadline: Workers stop work 30 s after the caller left, and the pair still has to be stored. */
const DEADLINE_MS = 15_000
/** Tokens have at most 4096 and 512 characters; nothing that Intuit means to say is longer than this. */
const MAX_ANSWER_BYTES = 65_536

interface TokenEndpoint {
  url: string
  fetch: typeof fetch
  /** Milliseconds since the epoch. */
  now(): number
}

/** The body as text, or `undefined` once it proves longer than anything Intuit sends. */
const boundedText = async (response: Response): Promise<string | undefined> => {
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

/**
 * Presents a code or a refresh token to Intuit, exactly once: a retry could spend it twice. Never throws for what
 * Intuit or the network does. RFC 6749 sections 4.1.3 and 6, HTTP Basic by section 2.3.1.
 */
export const presentTo =
  (endpoint: TokenEndpoint) =>
  async (client: ClientPair, grantType: string, parameters: Record<string, string>): Promise<IntuitAnswer> => {
    const server = { issuer: new URL(endpoint.url).origin, token_endpoint: endpoint.url }
    try {
      const response = await oauth.genericTokenEndpointRequest(
        server,
        { client_id: client.clientId },
        oauth.ClientSecretBasic(client.clientSecret),
        grantType,
        parameters,
        {
          [oauth.customFetch]: (url, init) => endpoint.fetch(url, init as RequestInit),
          [oauth.allowInsecureRequests]: endpoint.url.startsWith('http:'),
          headers: { 'x-include-refresh-token-hard-expires-in': 'true' },
          signal: AbortSignal.timeout(DEADLINE_MS),
        },
      )
      const body = await boundedText(response)
      const intuitTid = response.headers.get('intuit_tid') ?? undefined
      return readAnswer(response.status, body, intuitTid, Math.floor(endpoint.now() / 1000))
    } catch {
      return { ok: false, refusal: 'unavailable', intuitTid: undefined }
    }
  }
