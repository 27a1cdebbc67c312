import type { EpochMs } from '../broker/connection.ts'
import type { Log, Replicas } from '../broker/ports.ts'
import type { ReadRegions, StorageSettings } from '../config.ts'
import { once } from '../once.ts'
import { Problem } from '../problem.ts'
import { connectionKey, connectionOf, isExpired } from './connection-item.ts'
import { dynamoDb } from './dynamodb.ts'
import { nearest } from './regions.ts'
import type { TransportSurroundings } from './transport.ts'

/** One short attempt: the home region has to answer within the same request. Milliseconds. */
const ONE_ATTEMPT = { attempts: 1, attemptMs: 1_000 }
/** How long a replica that failed is left alone. */
const PASS_OVER_MS = 30_000

interface Replica extends Pick<ReturnType<typeof dynamoDb>, 'getItem'> {
  region: string
  /** 0 while it answers. */
  askAgainAt: EpochMs
}

/**
 * The replicas of a global table, one signed client for each. They are read eventually consistent: a consistent read
 * costs twice as much and is consistent within the replica's own region only.
 */
export const replicas = (
  config: { storage(): StorageSettings; readRegions(): ReadRegions },
  surroundings: TransportSurroundings,
  log: Log,
): Replicas => {
  const { now } = surroundings
  const clientFor = ({ region, endpoint }: ReadRegions[number]): Replica => {
    const settings = { ...config.storage(), region, endpoint }
    return { region, askAgainAt: 0, ...dynamoDb(() => settings, surroundings) }
  }
  const all = once(() =>
    config
      .readRegions()
      .filter(({ region }) => region !== config.storage().region)
      .map(clientFor),
  )

  return {
    async read(companyKey, from) {
      const inService = all().filter(({ askAgainAt }) => askAgainAt <= now())
      const region = nearest(
        from,
        config.storage().region,
        inService.map((replica) => replica.region),
      )
      const replica = inService.find((one) => one.region === region)
      if (!replica) return undefined
      // After a failure one request tries it, and the others go on passing it over.
      if (replica.askAgainAt > 0) replica.askAgainAt = now() + PASS_OVER_MS
      try {
        const item = await replica.getItem({ Key: connectionKey(companyKey) }, ONE_ATTEMPT)
        replica.askAgainAt = 0
        return item && !isExpired(item, Math.floor(now() / 1000)) ? connectionOf(item, companyKey) : undefined
      } catch (error) {
        replica.askAgainAt = now() + PASS_OVER_MS
        const code = error instanceof Problem ? error.code : 'internal_error'
        log({ event: 'replica_passed_over', company_key: companyKey, region, code })
        return undefined
      }
    },
  }
}
