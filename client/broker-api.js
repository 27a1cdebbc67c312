/** @import { ClientOptions } from './index.d.ts' */
import { BrokerError } from './error.js'
import { isHeaderValue, parsePrivateUrl } from './validation.js'

/** The broker responds within 30 s, even while Intuit is down. */
const TIMEOUT_MS = 35_000

/**
 * @typedef {{ method?: string, headers?: Record<string, string> }} RequestOptions
 * @typedef {{ response: Response, body: Record<string, unknown> }} BrokerResponse
 * @typedef {(path: string, options?: RequestOptions) => Promise<BrokerResponse>} BrokerApi
 */

/** @param {string} text @returns {Record<string, unknown>} Empty if the text is not a JSON object. */
const parseJsonObject = (text) => {
  try {
    return { ...JSON.parse(text) }
  } catch {
    return {}
  }
}

/** @param {Response} response */
const toFacts = ({ status, headers }) => ({
  status,
  requestId: headers.get('X-Request-Id') ?? undefined,
  retryAfter: Number(headers.get('Retry-After')) || undefined,
})

/** The error for a response that did not come from the broker. @param {BrokerResponse} response */
export const toUnexpectedAnswer = ({ response }) =>
  new BrokerError(
    'unexpected_answer',
    `The response with status ${response.status} is not from the broker. Check baseUrl and any proxy in front of the broker.`,
    toFacts(response),
  )

/** The error for a failed request. Only the broker sends problems (RFC 9457) with a code. @param {BrokerResponse} failed */
const toError = (failed) => {
  const { response, body } = failed
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json')
  if (!isProblem || typeof body['code'] !== 'string') return toUnexpectedAnswer(failed)
  const intuitTid = typeof body['intuit_tid'] === 'string' ? body['intuit_tid'] : undefined
  return new BrokerError(body['code'], String(body['detail']), { ...toFacts(response), intuitTid })
}

/**
 * Creates a function that sends a request to the broker's API. It takes a path and resolves with the JSON object of the
 * response. It throws `BrokerError`. Creating it throws `TypeError` for an address or key that must not be used.
 * @param {Required<Pick<ClientOptions, 'baseUrl' | 'apiKey' | 'fetch'>>} options
 * @returns {BrokerApi}
 */
export const createBrokerApi = ({ baseUrl, apiKey, fetch: send }) => {
  const { origin, pathname } = parsePrivateUrl(baseUrl, 'The API key')
  if (!isHeaderValue(apiKey))
    throw new TypeError('apiKey must be visible ASCII on one line. Is there a line break at its end?')
  const api = `${origin}${pathname.replace(/\/$/, '')}/api`

  /** @param {string} path @param {RequestOptions} options @returns {Promise<BrokerResponse>} */
  const request = async (path, { method = 'GET', headers = {} }) => {
    try {
      const response = await send(`${api}/${path}`, {
        method,
        headers: { ...headers, Accept: 'application/json', 'X-API-Key': apiKey },
        redirect: 'manual', // A redirect would send the key to another origin.
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      return { response, body: parseJsonObject(await response.text()) }
    } catch (cause) {
      throw new BrokerError('broker_unreachable', 'The broker sent no complete response. See cause.', { cause })
    }
  }

  return async (path, options = {}) => {
    const answer = await request(path, options)
    if (answer.response.ok) return answer
    throw toError(answer)
  }
}
