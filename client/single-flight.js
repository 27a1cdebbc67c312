/** @import { ClientOptions, Token } from './index.d.ts' */

/** How long a caller waits for another caller's request. In workerd, a request whose caller has left may never settle. */
const WAIT_MS = 5_000

/** The token, or `undefined` after the timeout. @param {Promise<Token>} promise @returns {Promise<Token | undefined>} */
const awaitWithTimeout = (promise) => {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, WAIT_MS)
  })
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}

/**
 * Lets concurrent callers share one request. Calls with the same id share a result.
 * @param {Required<ClientOptions>['waitUntil']} waitUntil
 */
export const createSingleFlight = (waitUntil) => {
  /** @type {Map<string, Promise<Token>>} */
  const pending = new Map()

  /** @param {string} id @param {Promise<Token>} promise */
  const clear = (id, promise) => {
    if (pending.get(id) === promise) pending.delete(id)
  }

  /** @param {string} id @param {() => Promise<Token>} start @returns {Promise<Token>} */
  const run = async (id, start) => {
    const others = pending.get(id)
    if (others) {
      const token = await awaitWithTimeout(others)
      if (token) return token
      clear(id, others)
      return run(id, start)
    }
    const own = start()
    pending.set(id, own)
    waitUntil(own.catch(() => undefined).finally(() => clear(id, own)))
    return own
  }
  return run
}
