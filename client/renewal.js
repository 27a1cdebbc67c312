/** @import { ClientOptions, Token } from './index.d.ts' */
/** @import { rememberedTokens } from './tokens.js' */

/** Seconds between two questions to the broker while QuickBooks refuses even the newest token. */
const READ_PAUSE = 5
/** Each refresh that did not help makes the pause before the next one longer, up to an hour. */
const PAUSE_FACTOR = 4
const LONGEST_PAUSE = 3600

/**
 * A company whose newest token was refused. Times are seconds since the epoch.
 * @typedef {{ generation: number, readAt: number, refreshAt: number, pause: number }} Refusal
 */

/**
 * Finds the token to try after one that QuickBooks refused.
 * @param {ReturnType<typeof rememberedTokens>} tokens
 * @param {Required<ClientOptions>['now']} now
 */
export const tokenRenewal = ({ recall, readStored, refresh }, now) => {
  /** By company key. @type {Map<string, Refusal>} */
  const refusals = new Map()

  /** The broker may have a newer token. If it has none, a refresh is tried at growing intervals. @param {string} companyKey @param {Token} refused @param {Refusal} refusal */
  const renewAgain = async (companyKey, refused, refusal) => {
    if (now() < refusal.readAt) return undefined
    // The times are set after the requests: callers who come meanwhile share them.
    const stored = await readStored(companyKey).finally(() => {
      refusal.readAt = now() + READ_PAUSE
    })
    if (stored.generation !== refused.generation) return stored
    if (now() < refusal.refreshAt) return undefined
    return refresh(companyKey, { ifGeneration: refused.generation }).finally(() => {
      refusal.refreshAt = now() + refusal.pause
    })
  }

  return {
    /**
     * A newer token than `refused`; `undefined` where there is none for now.
     * @param {string} companyKey
     * @param {Token} refused
     * @returns {Promise<Token | undefined>}
     */
    renew: async (companyKey, refused) => {
      const known = recall(companyKey)
      if (known && known.generation !== refused.generation) return known
      const refusal = refusals.get(companyKey)
      return refusal
        ? renewAgain(companyKey, refused, refusal)
        : refresh(companyKey, { ifGeneration: refused.generation })
    },

    /** QuickBooks took a token of the company. @param {string} companyKey */
    accepted: (companyKey) => refusals.delete(companyKey),

    /** QuickBooks refused the renewed token, too: the fault is not its age. @param {string} companyKey @param {Token} token */
    refused: (companyKey, { generation }) => {
      const before = refusals.get(companyKey)
      if (before?.generation === generation) return
      const pause = before ? Math.min(before.pause * PAUSE_FACTOR, LONGEST_PAUSE) : READ_PAUSE
      refusals.set(companyKey, { generation, readAt: before?.readAt ?? 0, refreshAt: now() + pause, pause })
    },
  }
}
