import { Problem } from '../problem.ts'
import type { Environment } from './company.ts'
import type { Connection } from './connection.ts'
import type { Log, Runtime, WaitUntil } from './ports/runtime.ts'
import type { ConnectionStore, RealmStore } from './ports/storage.ts'
import type { Tokens } from './tokens/get-token.ts'

/** Anybody may open the link: Intuit is asked about a connection once in this time at most. */
const ASKED_EVERY_SECONDS = 600
const ENVIRONMENTS: readonly Environment[] = ['production', 'sandbox']

interface RevalidateDeps {
  connections: ConnectionStore
  realms: RealmStore
  runtime: Pick<Runtime, 'now'>
  log: Log
}

/** When Intuit was last asked about a connection: it said yes, or no, or nothing. */
function lastAskedAt({ lastRefreshAt, failure }: Connection) {
  return Math.max(lastRefreshAt ?? 0, failure?.at ?? 0)
}

/** Whether Intuit still accepts a realm's connection: by a refresh, as it is the only question that Intuit answers. */
export function createRevalidate(
  { connections, realms, runtime, log }: RevalidateDeps,
  refreshedToken: Tokens['refreshedToken'],
) {
  const nowSeconds = () => Math.floor(runtime.now() / 1000)

  const isDue = (connection: Connection | undefined, environment: Environment, realmId: string) =>
    connection?.refreshToken !== undefined &&
    connection.realmId === realmId &&
    connection.environment === environment &&
    nowSeconds() - lastAskedAt(connection) >= ASKED_EVERY_SECONDS

  const revalidate = async (environment: Environment, realmId: string, waitUntil: WaitUntil) => {
    const companyKey = await realms.findCompanyKey(environment, realmId)
    const connection = companyKey === undefined ? undefined : await connections.read(companyKey, nowSeconds())
    if (!connection || !isDue(connection, environment, realmId)) return
    await refreshedToken(connection.companyKey, [connection.generation], waitUntil).catch((error: unknown) => {
      const code = error instanceof Problem ? error.code : 'internal_error'
      log({ event: 'background_refresh_failed', company_key: connection.companyKey, code })
    })
  }

  /** Looks into a realm that a link names, wherever it is connected. What comes of it stands on the record. */
  return async (realmId: string, waitUntil: WaitUntil): Promise<void> => {
    await Promise.all(ENVIRONMENTS.map((environment) => revalidate(environment, realmId, waitUntil)))
  }
}
