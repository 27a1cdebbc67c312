/** @import { ClientOptions, FetchInit, QuickBooksTokens, Token } from './index.d.ts' */
/** @import { rememberedTokens } from './tokens.js' */
import { privateUrl } from './address.js'

/** A stream is spent by the first request. @param {FetchInit['body']} body */
const canBeSentAgain = (body) =>
  !(typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body))

/**
 * `fetch` with the company's token.
 * @param {ReturnType<typeof rememberedTokens>} tokens
 * @param {Required<ClientOptions>['fetch']} send
 * @returns {QuickBooksTokens['fetch']}
 */
export const bearerFetch = ({ recall, token, refresh }, send) => {
  /** Generations whose fresh token met a 401 all the same: another refresh would not help. @type {Map<string, number>} */
  const refusedFresh = new Map()

  /** The token after the one that QuickBooks refused. @param {string} companyKey @param {Token} refused */
  const successor = async (companyKey, refused) => {
    const known = recall(companyKey)
    return known && known.generation !== refused.generation
      ? known
      : refresh(companyKey, { ifGeneration: refused.generation })
  }

  return async (companyKey, address, init = {}) => {
    const url = privateUrl(address, 'An access token').href
    /** @param {Token} token */
    const attempt = ({ access_token }) => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${access_token}`)
      return send(url, { ...init, headers, redirect: 'manual' })
    }

    const first = await token(companyKey)
    const answer = await attempt(first)
    if (answer.status !== 401) refusedFresh.delete(companyKey)
    if (answer.status !== 401 || refusedFresh.get(companyKey) === first.generation) return answer
    if (!canBeSentAgain(init.body)) {
      // The caller's own second request shall find a good token; if there is none, the 401 says enough.
      await successor(companyKey, first).catch(() => undefined)
      return answer
    }
    await answer.body?.cancel()
    const second = await successor(companyKey, first)
    const last = await attempt(second)
    if (last.status === 401) refusedFresh.set(companyKey, second.generation)
    return last
  }
}
