import type { Context } from 'hono'
import { Hono } from 'hono'
import type { ApiClient } from '../broker/api-client.ts'
import { STATUSES } from '../broker/connection-status.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Listed, ListPlaces } from '../fleet/list.ts'
import { queryParameter } from '../http/request.ts'
import { type AccessVariables, requirePermission } from '../middleware/api-key.ts'
import { Problem } from '../problem.ts'
import { connectionBody } from './connections.ts'
import { type Cursors, type ListFilter, makeCursor, readCursor } from './list-cursor.ts'
import type { ListedBody, ListingBody, SummaryBody } from './schemas/fleet.ts'
import { errorBody } from './status.ts'

/** The connections of a page. */
export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 100
export const ENVIRONMENTS = ['production', 'sandbox'] as const

function invalid(name: string, form: string) {
  return new Problem('invalid_request', `The parameter ${name} must be ${form}.`)
}

function parseLimit(c: Context): number {
  const text = queryParameter(c, 'limit') ?? String(DEFAULT_LIMIT)
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_LIMIT) return Number(text)
  throw invalid('limit', `1 to ${MAX_LIMIT}`)
}

/** Parses a query parameter with a fixed set of values. Throws `invalid_request`. */
function parseOneOf<Word extends string>(c: Context, name: string, words: readonly Word[]): Word | undefined {
  const text = queryParameter(c, name)
  const word = words.find((one) => one === text)
  if (text === undefined || word !== undefined) return word
  throw invalid(name, `one of ${words.join(', ')}`)
}

/** Parses the cursor of the next page. Throws `invalid_request` for a cursor of another list. */
async function parsePlaces(
  c: Context,
  filter: ListFilter,
  shards: number,
  cursors: Cursors,
): Promise<ListPlaces | undefined> {
  const cursor = queryParameter(c, 'cursor')
  if (cursor === undefined) return undefined
  const places = await readCursor(cursor, filter, shards, cursors)
  if (places !== undefined) return places
  throw invalid(
    'cursor',
    'the cursor of an earlier answer with the same status and environment. Begin again without one',
  )
}

/** `last_error`, if there is one. */
function listedBody({ indexed, status }: Listed): ListedBody {
  const { connection } = indexed
  const { failure } = connection
  return {
    ...connectionBody(connection, indexed),
    status,
    generation: connection.generation,
    refresh_token_hard_expires_at: connection.refreshTokenHardExpiresAt ?? null,
    ...(failure && { last_error: errorBody(failure) }),
  }
}

function canAccessAll({ companies }: ApiClient) {
  return companies.includes('*')
}

/**
 * `GET /api/connections` and `GET /api/connections/summary`, if an index is configured. Otherwise the next routes handle
 * them.
 */
export function fleetRoutes(fleet: Fleet, cursors: Cursors) {
  return new Hono<{ Variables: AccessVariables }>()
    .get('/', requirePermission('connection:read'), async (c, next) => {
      if (!fleet.isConfigured()) return next()
      const apiClient = c.get('apiClient')
      const filter = {
        status: parseOneOf(c, 'status', STATUSES),
        environment: parseOneOf(c, 'environment', ENVIRONMENTS),
      }
      const { connections, places } = await fleet.list({
        ...filter,
        limit: parseLimit(c),
        places: await parsePlaces(c, filter, fleet.shards, cursors),
        apiClient: canAccessAll(apiClient) ? undefined : apiClient,
      })
      return c.json({
        connections: connections.map(listedBody),
        cursor: places ? await makeCursor(places, filter, cursors) : null,
      } satisfies ListingBody)
    })
    .get('/summary', requirePermission('connection:read'), async (c, next) => {
      if (!fleet.isConfigured()) return next()
      if (!canAccessAll(c.get('apiClient'))) {
        throw new Problem('forbidden', 'The summary is of all companies. The operator gives a key the right to all.')
      }
      const summary = await fleet.summary()
      if (!summary) {
        throw new Problem('not_found', 'The connections were not counted yet. The cron counts them within minutes.')
      }
      const { counts, countedAt } = summary
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
      return c.json({ counts, total, counted_at: countedAt } satisfies SummaryBody)
    })
}
