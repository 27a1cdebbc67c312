/** @import { Token } from './index.d.ts' */

/**
 * Whether `token` was issued before `known`. An older pair of the same record expires no later; a lower generation that
 * expires later belongs to a record that was removed and made anew.
 * @param {Token} token @param {Token} known
 */
const isOlder = (token, known) =>
  token.generation < known.generation && token.access_token_expires_at <= known.access_token_expires_at

/** The newest token of each company. */
export const tokenMemory = () => {
  /** @type {Map<string, Token>} */
  const tokens = new Map()
  return {
    /** @param {string} companyKey */
    recall: (companyKey) => tokens.get(companyKey),

    /** Answers come in any order: the newest one stays, and is returned. @param {string} companyKey @param {Token} token */
    remember: (companyKey, token) => {
      const known = tokens.get(companyKey)
      const newest = known && isOlder(token, known) ? known : token
      tokens.set(companyKey, newest)
      return newest
    },
  }
}
