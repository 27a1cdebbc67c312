import { type Connection, holdsAccessToken, holdsTokens, type WithAccessToken } from '../connection.ts'
import type { TokenResponse } from '../ports/intuit.ts'
import { retryUntil } from '../retry.ts'
import { nowSeconds, storeDeadline, storingMs } from '../timing.ts'
import { encryptTokenPair, refreshedPair } from '../token-pair.ts'
import { type RefreshAttempt, type RefreshToken, toLeaseEnd, useNewer } from './attempt.ts'
import { storeTokenPair } from './store-pair.ts'

/** The record after the table rejected a new pair. If the company was disconnected meanwhile, revokes the pair. */
async function readAfterRejection(attempt: RefreshAttempt, refreshToken: string): Promise<Connection | undefined> {
  const { deps, request, connection: used } = attempt
  const current = await deps.connections.read(used.companyKey, nowSeconds(deps.runtime))
  if (current && !holdsTokens(current)) {
    // The disconnect could not know of this pair.
    request.waitUntil(deps.intuit.revoke(used.environment, refreshToken))
  }
  return current
}

/**
 * As `readAfterRejection`. If the table does not respond, throws, and reads again in the background until `deadline`.
 */
async function settleRejectedPair(attempt: RefreshAttempt, refreshToken: string, deadline: number) {
  const { deps, request, connection: used } = attempt
  const read = () => readAfterRejection(attempt, refreshToken)
  try {
    return await read()
  } catch (error) {
    const isInTime = deps.runtime.now() < deadline
    const settling = isInTime ? retryUntil(read, deadline, deps.runtime) : Promise.resolve(undefined)
    const logged = settling.then(
      (settled) => settled ?? deps.log({ event: 'pair_not_settled', company_key: used.companyKey }),
    )
    request.waitUntil(logged)
    throw error
  }
}

/**
 * Stores the tokens that Intuit issued for `token`. Returns the record with them, or what another writer stored first.
 * Throws as `useNewer` and the table do.
 */
export async function storeSuccessor(
  attempt: RefreshAttempt,
  token: RefreshToken,
  response: TokenResponse,
): Promise<WithAccessToken | 'again'> {
  const { deps, request, connection: used, lease } = attempt
  const deadline = storeDeadline(deps.timing(), deps.runtime.now(), request.startedAt)
  const pair = refreshedPair(response.pair, token.value, used)
  const settle = () => settleRejectedPair(attempt, pair.refreshToken, deadline)
  const stored = await storeTokenPair(deps, {
    used,
    usedTokenHash: token.hash,
    successor: {
      pair: await encryptTokenPair(deps.vault, used.companyKey, pair),
      rotated: pair.refreshToken !== token.value,
      now: nowSeconds(deps.runtime),
      writer: lease.owner,
    },
    leaseEnd: toLeaseEnd(attempt),
    deadline,
    patienceMs: storingMs(deps.timing()),
    waitUntil: request.waitUntil,
    onLateRejection: () => settle().catch(() => undefined),
  })
  if (stored && holdsAccessToken(stored)) return stored
  return useNewer(attempt, await settle())
}
