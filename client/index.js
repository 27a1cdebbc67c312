/** @import { ClientOptions, Connection, QuickBooksTokens } from './index.d.ts' */
import { createAuthorizedFetch } from './authorized-fetch.js'
import { createBrokerApi, toUnexpectedAnswer } from './broker-api.js'
import { createTokens } from './tokens.js'

export { BrokerError } from './error.js'

/** @param {Record<string, unknown>} body @returns {body is Record<string, unknown> & Connection} */
const isConnection = (body) => typeof body['connected'] === 'boolean'

/** Documented in `index.d.ts`. @param {ClientOptions} options @returns {QuickBooksTokens} */
export const quickbooksTokens = ({
  baseUrl,
  apiKey,
  // Looks the global up at each call: Workers reject a detached `fetch`, and tests may replace the global.
  fetch: send = (url, init) => fetch(url, init),
  now = () => Date.now() / 1000,
  waitUntil = () => undefined,
}) => {
  const callBroker = createBrokerApi({ baseUrl, apiKey, fetch: send })
  const tokens = createTokens(callBroker, { now, waitUntil })
  return {
    token: tokens.token,
    refresh: tokens.refresh,
    connection: async (companyKey) => {
      const answer = await callBroker(`connections/${encodeURIComponent(companyKey)}`)
      if (!isConnection(answer.body)) throw toUnexpectedAnswer(answer)
      return answer.body
    },
    fetch: createAuthorizedFetch(tokens, { fetch: send, now }),
  }
}
