/** @import { Token } from './index.d.ts' */

/**
 * Whether `token` was issued before `cached`. Within one record, an older token pair never expires later. A lower
 * generation that expires later belongs to a record that was deleted and created again.
 * @param {Token} token @param {Token} cached
 */
const isOlder = (token, cached) =>
  token.generation < cached.generation && token.access_token_expires_at <= cached.access_token_expires_at

/** Caches the newest token of each company. */
export const createTokenCache = () => {
  /** @type {Map<string, Token>} */
  const tokens = new Map()
  return {
    /** @param {string} companyKey */
    get: (companyKey) => tokens.get(companyKey),

    /**
     * Stores a token unless a newer one is cached, because responses can arrive out of order. Returns the cached token.
     * @param {string} companyKey @param {Token} token
     */
    set: (companyKey, token) => {
      const cached = tokens.get(companyKey)
      const newest = cached && isOlder(token, cached) ? cached : token
      tokens.set(companyKey, newest)
      return newest
    },
  }
}
