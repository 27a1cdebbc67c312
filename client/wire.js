/** @import { ClientOptions } from './index.d.ts' */
import { fitsHeader, privateUrl } from './address.js'
import { BrokerError } from './error.js'

/** The broker answers within 30 s whatever happens at Intuit; it was not reached if nothing came by then. */
const DEADLINE_MS = 35_000

/**
 * @typedef {{ method?: string, headers?: Record<string, string> }} Asked
 * @typedef {{ response: Response, body: Record<string, unknown> }} Answer
 * @typedef {(path: string, asked?: Asked) => Promise<Answer>} Ask
 */

/** @param {string} text @returns {Record<string, unknown>} Empty where it is no JSON object. */
const parsed = (text) => {
  try {
    return { ...JSON.parse(text) }
  } catch {
    return {}
  }
}

/** @param {Response} response */
const factsOf = ({ status, headers }) => ({
  status,
  requestId: headers.get('X-Request-Id') ?? undefined,
  retryAfter: Number(headers.get('Retry-After')) || undefined,
})

/** @param {Answer} answer */
export const unexpected = ({ response }) =>
  new BrokerError(
    'unexpected_answer',
    `The answer with status ${response.status} is not the broker's. Look at baseUrl and what stands before it.`,
    factsOf(response),
  )

/** A problem of the broker (RFC 9457), or else of something that stands before it. @param {Answer} answer */
const refusal = (answer) => {
  const { response, body } = answer
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json')
  if (!isProblem || typeof body['code'] !== 'string') return unexpected(answer)
  const intuitTid = typeof body['intuit_tid'] === 'string' ? body['intuit_tid'] : undefined
  return new BrokerError(body['code'], String(body['detail']), { ...factsOf(response), intuitTid })
}

/**
 * Requests to the broker's API: path in, JSON object out. Throws `BrokerError`.
 * @param {Required<Pick<ClientOptions, 'baseUrl' | 'apiKey' | 'fetch'>>} options
 * @returns {Ask}
 */
export const brokerWire = ({ baseUrl, apiKey, fetch: send }) => {
  const { origin, pathname } = privateUrl(baseUrl, 'The API key')
  if (!fitsHeader(apiKey))
    throw new TypeError('apiKey must be visible ASCII on one line. Is there a line break at its end?')
  const api = `${origin}${pathname.replace(/\/$/, '')}/api`

  /** @param {string} path @param {Asked} asked @returns {Promise<Answer>} */
  const exchange = async (path, { method = 'GET', headers = {} }) => {
    try {
      const response = await send(`${api}/${path}`, {
        method,
        headers: { ...headers, Accept: 'application/json', 'X-API-Key': apiKey },
        redirect: 'manual', // The key is for this origin alone.
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      return { response, body: parsed(await response.text()) }
    } catch (cause) {
      throw new BrokerError('broker_unreachable', 'No whole answer came from the broker. Its cause says why.', {
        cause,
      })
    }
  }

  return async (path, asked = {}) => {
    const answer = await exchange(path, asked)
    if (answer.response.ok) return answer
    throw refusal(answer)
  }
}
