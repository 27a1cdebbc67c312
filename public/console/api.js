/** @import { Connection } from './connection.js' */

/**
 * What went wrong, for a person to read. `status` is 0 where there was no answer.
 * @typedef {{ ok: false, status: number, code: string, text: string }} Failed
 */
/**
 * @template T
 * @typedef {{ ok: true, body: T } | Failed} Answer
 */

/** A refresh may wait 25 s for Intuit, and the answer for the table besides. */
const PATIENCE_MS = 60_000

/** @param {Response} answer @returns {Promise<Failed>} */
const failed = async (answer) => {
  const problem = await answer.json().catch(() => ({}))
  const text = typeof problem.detail === 'string' ? problem.detail : `The service answered ${answer.status}.`
  const requestId = answer.headers.get('X-Request-Id')
  const trace = answer.status >= 500 && requestId ? ` Request ${requestId}.` : ''
  return { ok: false, status: answer.status, code: String(problem.code ?? ''), text: `${text}${trace}` }
}

/** Whether an answer says that this deployment does not offer a route at all. @param {Failed} answer */
export const isNotOffered = ({ status, code }) => status === 405 || (status === 404 && code !== 'connection_not_found')

/**
 * The service's API, as one holder of a key sees it. The key goes into the header and nowhere else.
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
      signal: AbortSignal.timeout(PATIENCE_MS),
    })

  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<Answer<any>>} */
  const call = async (method, path, body) => {
    try {
      const answer = await send(method, path, body)
      return answer.ok ? { ok: true, body: await answer.json().catch(() => ({})) } : await failed(answer)
    } catch {
      return { ok: false, status: 0, code: '', text: 'The service cannot be reached. Try again.' }
    }
  }

  /** @param {string} companyKey */
  const pathOf = (companyKey) => `/api/connections/${encodeURIComponent(companyKey)}`

  return {
    /** @param {string} [cursor] @returns {Promise<Answer<{ connections?: Connection[], cursor?: string | null }>>} */
    list: (cursor) => call('GET', `/api/connections${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`),
    /** @param {string} companyKey @returns {Promise<Answer<Connection>>} */
    connection: (companyKey) => call('GET', pathOf(companyKey)),
    /** @param {string} companyKey @returns {Promise<Answer<Partial<Connection>>>} */
    status: (companyKey) => call('GET', `${pathOf(companyKey)}/status`),
    /** @param {string} companyKey @param {string} [companyName] @returns {Promise<Answer<{ url: string, expires_at?: number | null }>>} */
    startLink: (companyKey, companyName) =>
      call('POST', `${pathOf(companyKey)}/start-links`, companyName ? { company_name: companyName } : {}),
    /** @param {string} companyKey @returns {Promise<Answer<unknown>>} */
    disconnect: (companyKey) => call('DELETE', pathOf(companyKey)),

    /** Forces a refresh. The new token is in the answer, which is therefore dropped unread. @param {string} companyKey @returns {Promise<Answer<undefined>>} */
    refresh: async (companyKey) => {
      try {
        const answer = await send('POST', `/api/token/${encodeURIComponent(companyKey)}/refresh`)
        if (!answer.ok) return await failed(answer)
        await answer.body?.cancel()
        return { ok: true, body: undefined }
      } catch {
        return { ok: false, status: 0, code: '', text: 'The service cannot be reached. Try again.' }
      }
    },

    /** Whether connections can be disconnected here: a refused method names those that are not refused (RFC 9110, `Allow`). */
    offersDisconnect: async () => {
      const answer = await send('OPTIONS', pathOf('any')).catch(() => undefined)
      return /\bDELETE\b/.test(answer?.headers.get('Allow') ?? '')
    },
  }
}

/** @typedef {ReturnType<typeof createApi>} Api */
