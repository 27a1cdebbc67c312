/** @import { ClientOptions, FetchInit, QuickBooksTokens, Token } from './index.d.ts' */
/** @import { Tokens } from './tokens.js' */
import { createRenewal } from './renewal.js'
import { parsePrivateUrl } from './validation.js'

/** A stream can be read only once. @param {FetchInit['body']} body */
const canBeSentAgain = (body) =>
  !(typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body))

/**
 * Creates a `fetch` that adds the company's access token and renews it once after a 401.
 * @param {Tokens} tokens
 * @param {Required<Pick<ClientOptions, 'fetch' | 'now'>>} runtime
 * @returns {QuickBooksTokens['fetch']}
 */
export const createAuthorizedFetch = (tokens, { fetch: send, now }) => {
  const renewal = createRenewal(tokens, now)

  return async (companyKey, address, init = {}) => {
    const url = parsePrivateUrl(address, 'An access token').href
    /** @param {Token} token */
    const attempt = async ({ access_token }) => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${access_token}`)
      const response = await send(url, { ...init, headers, redirect: 'manual' })
      if (response.status !== 401) renewal.addAccepted(companyKey)
      return response
    }

    const first = await tokens.token(companyKey)
    const response = await attempt(first)
    if (response.status !== 401) return response
    if (!canBeSentAgain(init.body)) {
      // The caller's next request uses the renewed token. If the renewal fails, the 401 is the better error.
      await renewal.renew(companyKey, first).catch(() => undefined)
      return response
    }
    /** Frees the connection of a response that the caller does not get. */
    const discard = () => response.body?.cancel()
    const second = await renewal.renew(companyKey, first).catch(async (error) => {
      await discard()
      throw error
    })
    if (!second) return response
    await discard()
    const last = await attempt(second)
    if (last.status === 401) renewal.addRejected(companyKey, second)
    return last
  }
}
