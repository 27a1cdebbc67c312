import { toFleetAttributes } from '../../src/storage/fleet-keys.ts'
import type { Service } from '../support/worker-harness.ts'

const DAY = 86_400
const INTUIT_LIVES = 101 * DAY

type Values = Record<string, { S: string } | { N: string } | { BOOL: boolean }>

/** Connections whose records say that time has passed: the Worker's own clock is the real one. */
export const createAgedConnections = (service: Service) => {
  const now = () => Math.floor(Date.now() / 1000)
  const item = async (companyKey: string) => {
    const found = await service.dynamo.item(`connection#${companyKey}`)
    if (!found) throw new Error(`There is no ${companyKey}.`)
    return found
  }
  const change = async (companyKey: string, values: Values) =>
    service.dynamo.put({ ...(await item(companyKey)), ...values })

  /** Moves the place in the index with the times. */
  const dying = (companyKey: string, refreshTokenExpiresAt: number, refreshTokenHardExpiresAt: number): Values => ({
    refresh_token_expires_at: { N: String(refreshTokenExpiresAt) },
    refresh_token_hard_expires_at: { N: String(refreshTokenHardExpiresAt) },
    dies_at: {
      N: String(
        toFleetAttributes({ companyKey, holdsRefreshToken: true, refreshTokenExpiresAt, refreshTokenHardExpiresAt })
          .dies_at,
      ),
    },
  })

  let companies = 0

  return {
    /** So many new ones, of a company each, as they are after their consents. */
    connected: async (count: number) => {
      const keys: string[] = []
      while (keys.length < count) {
        const key = `company-${++companies}`
        const { status } = await service.connect(key, { realmId: `4620816365${companies}` })
        if (status !== 200) throw new Error(`${key} was answered ${status}.`)
        keys.push(key)
      }
      return keys
    },
    item,
    change,
    /** Not refreshed for so many days. */
    idle: async (companyKey: string, days: number) => {
      const at = now() - days * DAY
      await change(companyKey, {
        last_refresh_at: { N: String(at) },
        access_token_expires_at: { N: String(at + 3600) },
        ...dying(companyKey, at + INTUIT_LIVES, now() + 1000 * DAY),
      })
    },
    /** With so many days of the five years left. */
    hardLeft: (companyKey: string, days: number) =>
      change(companyKey, dying(companyKey, now() + 100 * DAY, now() + days * DAY)),
    /** Its refreshes have failed for an hour. */
    failing: (companyKey: string, code: string, retryIn = 600) =>
      change(companyKey, {
        ...{ failure_code: { S: code }, failure_tid: { S: '1-tid' }, failure_count: { N: '3' } },
        failure_since: { N: String(now() - 3600) },
        ...{ failed_at: { N: String(now() - 60) }, retry_at: { N: String(now() + retryIn) } },
      }),
    /** What a good refresh leaves. */
    mended: async (companyKey: string) => {
      const { failure_code, failure_tid, failure_count, failure_since, failed_at, retry_at, ...rest } =
        await item(companyKey)
      await service.dynamo.put(rest)
    },
    /** What a disconnect leaves. */
    erased: async (companyKey: string) => {
      const { access_token, refresh_token, refresh_token_hash, access_token_expires_at, ...rest } =
        await item(companyKey)
      await service.dynamo.put({ ...rest, dies_at: { N: '9999999999' } })
    },
  }
}
