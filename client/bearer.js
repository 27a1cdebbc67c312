/** @import { ClientOptions, FetchInit, QuickBooksTokens, Token } from './index.d.ts' */
/** @import { rememberedTokens } from './tokens.js' */
import { privateUrl } from './address.js'
import { tokenRenewal } from './renewal.js'

/** The first request uses a stream up. @param {FetchInit['body']} body */
const canBeSentAgain = (body) =>
  !(typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body))

/**
 * `fetch` with the company's token.
 * @param {ReturnType<typeof rememberedTokens>} tokens
 * @param {Required<Pick<ClientOptions, 'fetch' | 'now'>>} runtime
 * @returns {QuickBooksTokens['fetch']}
 */
export const bearerFetch = (tokens, { fetch: send, now }) => {
  const renewal = tokenRenewal(tokens, now)

  return async (companyKey, address, init = {}) => {
    const url = privateUrl(address, 'An access token').href
    /** @param {Token} token */
    const attempt = async ({ access_token }) => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${access_token}`)
      const answer = await send(url, { ...init, headers, redirect: 'manual' })
      if (answer.status !== 401) renewal.accepted(companyKey)
      return answer
    }

    const first = await tokens.token(companyKey)
    const answer = await attempt(first)
    if (answer.status !== 401) return answer
    if (!canBeSentAgain(init.body)) {
      // The caller's own second request finds the newer token. Where there is none, the 401 says enough.
      await renewal.renew(companyKey, first).catch(() => undefined)
      return answer
    }
    /** Frees the connection of an answer that the caller does not get. */
    const drop = () => answer.body?.cancel()
    const second = await renewal.renew(companyKey, first).catch(async (error) => {
      await drop()
      throw error
    })
    if (!second) return answer
    await drop()
    const last = await attempt(second)
    if (last.status === 401) renewal.refused(companyKey, second)
    return last
  }
}
