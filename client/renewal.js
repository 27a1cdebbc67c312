/** @import { ClientOptions, Token } from './index.d.ts' */
/** @import { Tokens } from './tokens.js' */

/** Seconds between two reads from the broker while QuickBooks rejects the newest token. */
const READ_INTERVAL = 5
/** Each refresh that does not help multiplies the interval until the next one, up to an hour. */
const INTERVAL_FACTOR = 4
const LONGEST_INTERVAL = 3600

/**
 * The state of a company whose newest token QuickBooks rejected. Times are epoch seconds, the interval is in seconds.
 * @typedef {{ generation: number, readAt: number, refreshAt: number, interval: number }} Rejection
 */

/**
 * Finds the token to try after QuickBooks rejected one with 401. A rejected token that was just refreshed slows down the
 * reads and refreshes of its company until QuickBooks accepts a token again.
 * @param {Tokens} tokens
 * @param {Required<ClientOptions>['now']} now
 */
export const createRenewal = ({ getCached, readStored, refresh }, now) => {
  /** By company key. @type {Map<string, Rejection>} */
  const rejections = new Map()

  /** @param {string} companyKey @param {Token} rejected @param {Rejection} state */
  const renewSlowly = async (companyKey, rejected, state) => {
    if (now() < state.readAt) return undefined
    // The times are set after each request, so that concurrent callers share it.
    const stored = await readStored(companyKey).finally(() => {
      state.readAt = now() + READ_INTERVAL
    })
    if (stored.generation !== rejected.generation) return stored
    if (now() < state.refreshAt) return undefined
    return refresh(companyKey, { ifGeneration: rejected.generation }).finally(() => {
      state.refreshAt = now() + state.interval
    })
  }

  return {
    /**
     * Gets a newer token than `rejected`, or `undefined` if there is none for now. Throws `BrokerError`.
     * @param {string} companyKey
     * @param {Token} rejected
     * @returns {Promise<Token | undefined>}
     */
    renew: async (companyKey, rejected) => {
      const cached = getCached(companyKey)
      if (cached && cached.generation !== rejected.generation) return cached
      const state = rejections.get(companyKey)
      return state
        ? renewSlowly(companyKey, rejected, state)
        : refresh(companyKey, { ifGeneration: rejected.generation })
    },

    /** Records that QuickBooks accepted a token. @param {string} companyKey */
    addAccepted: (companyKey) => rejections.delete(companyKey),

    /** Records that QuickBooks rejected a renewed token: its age is not the reason. @param {string} companyKey @param {Token} token */
    addRejected: (companyKey, { generation }) => {
      const before = rejections.get(companyKey)
      if (before?.generation === generation) return
      const interval = before ? Math.min(before.interval * INTERVAL_FACTOR, LONGEST_INTERVAL) : READ_INTERVAL
      rejections.set(companyKey, { generation, readAt: before?.readAt ?? 0, refreshAt: now() + interval, interval })
    },
  }
}
