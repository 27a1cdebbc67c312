import type { EpochMs } from '../broker/connection.ts'
import type { Log } from '../broker/ports/runtime.ts'
import type { CallerLocation, Replicas } from '../broker/ports/storage.ts'
import type { ReadRegions, StorageSettings } from '../config/config.ts'
import { lazy } from '../lib/lazy.ts'
import { Problem } from '../problem.ts'
import { connectionKey, isExpired, parseConnection } from './connection-item.ts'
import { createDynamoDb } from './dynamodb.ts'
import type { DynamoDbHttpRuntime } from './dynamodb-http.ts'
import { rankFrom } from './regions.ts'

/** One short attempt (milliseconds): the primary region has to answer within the same request. */
const ONE_ATTEMPT = { attempts: 1, attemptMs: 1_000 }
/** How long a failed replica is not used. */
const PASS_OVER_MS = 30_000

interface ReplicasConfig {
  storage(): StorageSettings
  readRegions(): ReadRegions
}

/**
 * The replicas of a global table, one signed client for each. They are read eventually consistent: a consistent read
 * costs twice as much and is consistent within the replica's own region only.
 */
export function createReplicaStore(config: ReplicasConfig, runtime: DynamoDbHttpRuntime, log: Log): Replicas {
  const { now, clock } = runtime
  const all = lazy(() =>
    config.readRegions().map(({ region, endpoint }) => {
      const settings = { ...config.storage(), region, endpoint }
      const passedOverUntil: EpochMs = 0
      return { region, passedOverUntil, table: createDynamoDb(() => settings, runtime) }
    }),
  )

  /** The nearest usable replica, if it is nearer than the primary region. */
  const nearest = (from: CallerLocation) => {
    const rank = rankFrom(from)
    const primaryRank = rank(config.storage().region)
    return all()
      .filter(({ region, passedOverUntil }) => rank(region) < primaryRank && passedOverUntil <= now())
      .sort((one, other) => rank(one.region) - rank(other.region))[0]
  }

  return {
    async read(companyKey, from) {
      const replica = nearest(from)
      if (!replica) return undefined
      // After a failure, one request tries the replica while the others still skip it.
      if (replica.passedOverUntil > 0) replica.passedOverUntil = now() + PASS_OVER_MS
      try {
        const item = await replica.table.getItem({ Key: connectionKey(companyKey) }, ONE_ATTEMPT)
        replica.passedOverUntil = 0
        return item && !isExpired(item, (clock?.now() ?? now()) / 1000) ? parseConnection(item, companyKey) : undefined
      } catch (error) {
        replica.passedOverUntil = now() + PASS_OVER_MS
        const code = error instanceof Problem ? error.code : 'internal_error'
        log({ event: 'replica_passed_over', company_key: companyKey, region: replica.region, code })
        return undefined
      }
    },
  }
}
