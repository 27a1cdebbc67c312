const API_KEY = 'api-key'
const LOOKED_UP = 'looked-up'

/** What this tab remembers, and no other: the key, and the connections that were looked up. Gone when the tab is. */
export const session = {
  apiKey: () => sessionStorage.getItem(API_KEY),
  /** @param {string} apiKey */
  begin: (apiKey) => sessionStorage.setItem(API_KEY, apiKey),
  end: () => sessionStorage.clear(),
  /** @returns {string[]} */
  lookedUp: () => JSON.parse(sessionStorage.getItem(LOOKED_UP) ?? '[]'),
  /** @param {string} companyKey */
  remember: (companyKey) =>
    sessionStorage.setItem(LOOKED_UP, JSON.stringify([...new Set([...session.lookedUp(), companyKey])])),
  /** @param {string} companyKey */
  forget: (companyKey) =>
    sessionStorage.setItem(LOOKED_UP, JSON.stringify(session.lookedUp().filter((one) => one !== companyKey))),
}
