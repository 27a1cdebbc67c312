import type { Connection } from '../connection.ts'
import { rescueUnavailable } from '../errors.ts'
import { findNewer, type RefreshAttempt } from './attempt.ts'

/**
 * Stores the parked successor of a used token, and returns the record with it. `undefined`: nothing is parked. Throws
 * `storage_unavailable` if the rescue store or the table does not respond: then nobody knows.
 */
export async function recoverParked(attempt: RefreshAttempt, usedTokenHash: string): Promise<Connection | undefined> {
  const { connections, rescue, log } = attempt.deps
  const { connection: used } = attempt
  const parked = await rescue?.find(used.companyKey, usedTokenHash).catch(() => {
    throw rescueUnavailable()
  })
  if (!parked) return undefined
  const stored = await connections.replace(used, parked, 'free')
  await rescue?.remove(used.companyKey, usedTokenHash).catch(() => undefined)
  if (stored) log({ event: 'pair_recovered', company_key: used.companyKey })
  return stored ?? findNewer(attempt)
}
