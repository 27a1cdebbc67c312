/** @import { ClientOptions, Token } from './index.d.ts' */

/** How long a caller waits for another's request: workerd leaves those of callers who are gone unsettled for ever. */
const PATIENCE_MS = 5_000

/** The token, or `undefined` where patience ends first. @param {Promise<Token>} promise @returns {Promise<Token | undefined>} */
const patiently = (promise) => {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer
  const ended = new Promise((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS)
  })
  return Promise.race([promise, ended]).finally(() => clearTimeout(timer))
}

/**
 * Lets concurrent callers of the same thing wait for one request.
 * @param {Required<ClientOptions>['waitUntil']} waitUntil
 */
export const sharing = (waitUntil) => {
  /** @type {Map<string, Promise<Token>>} */
  const underWay = new Map()

  /** @param {string} id @param {Promise<Token>} promise */
  const forget = (id, promise) => {
    if (underWay.get(id) === promise) underWay.delete(id)
  }

  /** @param {string} id @param {() => Promise<Token>} begin @returns {Promise<Token>} */
  const share = async (id, begin) => {
    const others = underWay.get(id)
    if (others) {
      const token = await patiently(others)
      if (token) return token
      forget(id, others)
      return share(id, begin)
    }
    const own = begin()
    underWay.set(id, own)
    waitUntil(own.catch(() => undefined).finally(() => forget(id, own)))
    return own
  }
  return share
}
