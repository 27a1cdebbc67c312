/** @import { ClientOptions, Connection, QuickBooksTokens } from './index.d.ts' */
import { bearerFetch } from './bearer.js'
import { rememberedTokens } from './tokens.js'
import { brokerWire, unexpected } from './wire.js'

export { BrokerError } from './error.js'

/** @param {Record<string, unknown>} body @returns {body is Record<string, unknown> & Connection} */
const isConnection = (body) => typeof body['connected'] === 'boolean'

/** @param {ClientOptions} options @returns {QuickBooksTokens} */
export const quickbooksTokens = ({ baseUrl, apiKey, ...parts }) => {
  const {
    // Called by its name at each request: Workers refuse a `fetch` that was taken off, and tests may replace it.
    fetch: send = (url, init) => fetch(url, init),
    now = () => Date.now() / 1000,
    waitUntil = () => undefined,
  } = parts
  const ask = brokerWire({ baseUrl, apiKey, fetch: send })
  const tokens = rememberedTokens(ask, { now, waitUntil })
  return {
    token: tokens.token,
    refresh: tokens.refresh,
    connection: async (companyKey) => {
      const answer = await ask(`connections/${encodeURIComponent(companyKey)}`)
      if (!isConnection(answer.body)) throw unexpected(answer)
      return answer.body
    },
    fetch: bearerFetch(tokens, { fetch: send, now }),
  }
}
