import type { EpochMs } from '../broker/connection.ts'
import type { Log } from '../broker/ports/runtime.ts'
import type { CallerLocation, Replicas } from '../broker/ports/storage.ts'
import type { ReadRegions, StorageSettings } from '../config/config.ts'
import { lazy } from '../lib/lazy.ts'
import { toProblemCode } from '../problem.ts'
import { connectionKey, isExpired, parseConnection } from './connection-item.ts'
import { createDynamoDb } from './dynamodb.ts'
import type { DynamoDbHttpRuntime } from './dynamodb-http.ts'
import { createRegionRanking } from './regions.ts'

/** One short attempt, in ms: if it fails, the same request still has to read the primary region. */
const ONE_ATTEMPT = { attempts: 1, attemptMs: 1_000 }
/** How long a failed replica is skipped. */
const SKIP_MS = 30_000

interface ReplicasConfig {
  storage(): StorageSettings
  readRegions(): ReadRegions
}

/**
 * The replicas of a global table, with one client for each. Reads are eventually consistent: a consistent read costs twice
 * as much and is consistent only within the region of the replica.
 */
export function createReplicaStore(config: ReplicasConfig, runtime: DynamoDbHttpRuntime, log: Log): Replicas {
  const { now, clock } = runtime
  const all = lazy(() =>
    config.readRegions().map(({ region, endpoint }) => {
      const settings = { ...config.storage(), region, endpoint }
      const skippedUntil: EpochMs = 0
      return { region, skippedUntil, table: createDynamoDb(() => settings, runtime) }
    }),
  )

  /** The nearest usable replica, if it is nearer than the primary region. */
  const findNearest = (from: CallerLocation) => {
    const rank = createRegionRanking(from)
    const primaryRank = rank(config.storage().region)
    return all()
      .filter(({ region, skippedUntil }) => rank(region) < primaryRank && skippedUntil <= now())
      .sort((one, other) => rank(one.region) - rank(other.region))[0]
  }

  return {
    async read(companyKey, from) {
      const replica = findNearest(from)
      if (!replica) return undefined
      // After a failure, one request tries the replica while the others still skip it.
      if (replica.skippedUntil > 0) replica.skippedUntil = now() + SKIP_MS
      try {
        const item = await replica.table.getItem({ Key: connectionKey(companyKey) }, ONE_ATTEMPT)
        replica.skippedUntil = 0
        return item && !isExpired(item, (clock?.now() ?? now()) / 1000) ? parseConnection(item, companyKey) : undefined
      } catch (error) {
        replica.skippedUntil = now() + SKIP_MS
        const code = toProblemCode(error)
        log({ event: 'replica_passed_over', company_key: companyKey, region: replica.region, code })
        return undefined
      }
    },
  }
}
