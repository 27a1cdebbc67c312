import { toProblemCode } from '../problem.ts'
import type { Environment } from './company.ts'
import type { Connection, EpochSeconds } from './connection.ts'
import type { Log, Runtime, WaitUntil } from './ports/runtime.ts'
import type { ConnectionStore, RealmStore } from './ports/storage.ts'
import { nowSeconds } from './timing.ts'
import type { Tokens } from './tokens/get-token.ts'

/** The least time between two revalidations of a connection. Anybody can open the link that triggers one. */
const INTERVAL_SECONDS = 600
const ENVIRONMENTS: readonly Environment[] = ['production', 'sandbox']

interface RevalidateDeps {
  connections: ConnectionStore
  realms: RealmStore
  runtime: Pick<Runtime, 'now'>
  log: Log
}

/** When Intuit last accepted or refused the connection. */
function lastCheckedAt({ lastRefreshAt, failure }: Connection): EpochSeconds {
  return Math.max(lastRefreshAt ?? 0, failure?.at ?? 0)
}

/** Whether the connection has this realm and has not been checked recently. */
function isDue(connection: Connection, environment: Environment, realmId: string, now: EpochSeconds): boolean {
  return (
    connection.refreshToken !== undefined &&
    connection.realmId === realmId &&
    connection.environment === environment &&
    now - lastCheckedAt(connection) >= INTERVAL_SECONDS
  )
}

/**
 * Creates the function that checks whether Intuit still accepts the connections of a realm. Intuit has no endpoint for
 * that, so the check is a refresh. The record has its result; a failure is logged. The function throws
 * `storage_unavailable`.
 */
export function createRevalidate(
  { connections, realms, runtime, log }: RevalidateDeps,
  refreshedToken: Tokens['refreshedToken'],
) {
  const revalidate = async (environment: Environment, realmId: string, waitUntil: WaitUntil) => {
    const companyKey = await realms.findCompanyKey(environment, realmId)
    const now = nowSeconds(runtime)
    const connection = companyKey === undefined ? undefined : await connections.read(companyKey, now)
    if (!connection || !isDue(connection, environment, realmId, now)) return
    await refreshedToken(connection.companyKey, [connection.generation], waitUntil).catch((error: unknown) => {
      const code = toProblemCode(error)
      log({ event: 'background_refresh_failed', company_key: connection.companyKey, code })
    })
  }

  return async (realmId: string, waitUntil: WaitUntil): Promise<void> => {
    await Promise.all(ENVIRONMENTS.map((environment) => revalidate(environment, realmId, waitUntil)))
  }
}
