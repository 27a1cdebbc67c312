const API_KEY = 'api-key'
const LOOKED_UP = 'looked-up'

/** @param {string[]} companyKeys */
const setLookedUp = (companyKeys) => sessionStorage.setItem(LOOKED_UP, JSON.stringify(companyKeys))

/** The state of this tab: the API key, and the connections that were looked up. Closing the tab deletes it. */
export const session = {
  apiKey: () => sessionStorage.getItem(API_KEY),
  /** @param {string} apiKey */
  start: (apiKey) => sessionStorage.setItem(API_KEY, apiKey),
  end: () => sessionStorage.clear(),
  /** @returns {string[]} */
  lookedUp: () => JSON.parse(sessionStorage.getItem(LOOKED_UP) ?? '[]'),
  /** @param {string} companyKey */
  addLookedUp: (companyKey) => setLookedUp([...new Set([...session.lookedUp(), companyKey])]),
  /** @param {string} companyKey */
  removeLookedUp: (companyKey) => setLookedUp(session.lookedUp().filter((one) => one !== companyKey)),
}
