/** @import { Connection } from './connection.js' */

/**
 * A failed request, with a text for the person. `status` is 0 without a response.
 * @typedef {{ ok: false, status: number, code: string, text: string }} Failed
 */
/**
 * @template T
 * @typedef {{ ok: true, body: T } | Failed} Answer
 */

/** A refresh can wait 25 s for Intuit, and then for the table. */
const TIMEOUT_MS = 60_000

/** @param {Response} answer @returns {Promise<Failed>} */
const parseFailure = async (answer) => {
  const problem = await answer.json().catch(() => ({}))
  const text =
    typeof problem.detail === 'string' ? problem.detail : `The service responded with status ${answer.status}.`
  const requestId = answer.headers.get('X-Request-Id')
  const trace = answer.status >= 500 && requestId ? ` Request ${requestId}.` : ''
  return { ok: false, status: answer.status, code: String(problem.code ?? ''), text: `${text}${trace}` }
}

/** Whether a response means that this deployment does not offer the route. @param {Failed} answer */
export const isNotOffered = ({ status, code }) => status === 405 || (status === 404 && code !== 'connection_not_found')

/**
 * Creates a client of the service's API. The key is sent in the header `X-API-Key`, and nowhere else.
 * @param {string} apiKey
 */
export const createApi = (apiKey) => {
  /** @param {string} method @param {string} path @param {object} [body] */
  const send = (method, path, body) =>
    fetch(path, {
      method,
      headers: {
        'X-API-Key': apiKey,
        'Cache-Control': 'no-cache',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })

  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<Answer<any>>} */
  const call = async (method, path, body) => {
    try {
      const answer = await send(method, path, body)
      return answer.ok ? { ok: true, body: await answer.json().catch(() => ({})) } : await parseFailure(answer)
    } catch {
      return { ok: false, status: 0, code: '', text: 'The service cannot be reached. Try again.' }
    }
  }

  /** @param {string} companyKey */
  const toPath = (companyKey) => `/api/connections/${encodeURIComponent(companyKey)}`

  return {
    /** @param {string} [cursor] @returns {Promise<Answer<{ connections?: Connection[], cursor?: string | null }>>} */
    list: (cursor) => call('GET', `/api/connections${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`),
    /** @param {string} companyKey @returns {Promise<Answer<Connection>>} */
    connection: (companyKey) => call('GET', toPath(companyKey)),
    /** @param {string} companyKey @returns {Promise<Answer<Partial<Connection>>>} */
    status: (companyKey) => call('GET', `${toPath(companyKey)}/status`),
    /** @param {string} companyKey @param {string} [companyName] @returns {Promise<Answer<{ url: string, expires_at?: number | null }>>} */
    startLink: (companyKey, companyName) =>
      call('POST', `${toPath(companyKey)}/start-links`, companyName ? { company_name: companyName } : {}),
    /** @param {string} companyKey @returns {Promise<Answer<unknown>>} */
    disconnect: (companyKey) => call('DELETE', toPath(companyKey)),

    /** Forces a refresh. The response contains the new token, so its body is never read. @param {string} companyKey @returns {Promise<Answer<undefined>>} */
    refresh: async (companyKey) => {
      try {
        const answer = await send('POST', `/api/token/${encodeURIComponent(companyKey)}/refresh`)
        if (!answer.ok) return await parseFailure(answer)
        await answer.body?.cancel()
        return { ok: true, body: undefined }
      } catch {
        return { ok: false, status: 0, code: '', text: 'The service cannot be reached. Try again.' }
      }
    },

    /** Whether this deployment offers disconnects. A 405 lists the supported methods in `Allow` (RFC 9110 section 15.5.6). */
    offersDisconnect: async () => {
      const answer = await send('OPTIONS', toPath('any')).catch(() => undefined)
      return /\bDELETE\b/.test(answer?.headers.get('Allow') ?? '')
    },
  }
}

/** @typedef {ReturnType<typeof createApi>} Api */
