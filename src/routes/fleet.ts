import type { Context } from 'hono'
import { Hono } from 'hono/tiny'
import type { Caller } from '../broker/caller.ts'
import type { Fleet } from '../broker/fleet.ts'
import type { Listed, ListPlaces } from '../broker/listing.ts'
import { STATUSES } from '../broker/status.ts'
import { Problem } from '../problem.ts'
import { type AccessVariables, may } from './access.ts'
import { connectionBody } from './connections.ts'
import { queryParameter } from './http.ts'
import type { ListedBody, ListingBody, SummaryBody } from './schemas/fleet.ts'
import { errorBody } from './status.ts'

/** Connections to a page. */
export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 100
export const ENVIRONMENTS = ['production', 'sandbox'] as const

/** Makes a cursor of what it says, and reads its own ones. */
export interface Cursors {
  seal(text: string): Promise<string>
  open(cursor: string): Promise<string | undefined>
}

/** A place in a cursor: none yet, the end, or `<dies_at>:<company_key>`. */
function placeText(place: ListPlaces[number]) {
  if (!place || place === 'end') return place ?? ''
  return `${place.diesAt}:${place.companyKey}`
}

function placeOf(text: string): ListPlaces[number] {
  const [diesAt = '', companyKey] = text.split(':')
  if (companyKey !== undefined) return { diesAt: Number(diesAt), companyKey }
  return text === 'end' ? text : undefined
}

function invalid(name: string, form: string) {
  return new Problem('invalid_request', `The parameter ${name} must be ${form}.`)
}

function limitOf(c: Context): number {
  const text = queryParameter(c, 'limit') ?? String(DEFAULT_LIMIT)
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_LIMIT) return Number(text)
  throw invalid('limit', `1 to ${MAX_LIMIT}`)
}

/** A query parameter that is one of a few words. Throws `invalid_request`. */
function oneOf<Word extends string>(c: Context, name: string, words: readonly Word[]): Word | undefined {
  const text = queryParameter(c, name)
  const word = words.find((one) => one === text)
  if (text === undefined || word !== undefined) return word
  throw invalid(name, `one of ${words.join(', ')}`)
}

async function placesOf(c: Context, cursors: Cursors): Promise<ListPlaces | undefined> {
  const cursor = queryParameter(c, 'cursor')
  if (cursor === undefined) return undefined
  const text = await cursors.open(cursor)
  if (text !== undefined) return text.split(',').map(placeOf)
  throw invalid('cursor', 'the cursor of an earlier answer. Begin again without one')
}

async function sealed(places: ListPlaces | undefined, cursors: Cursors) {
  return places ? cursors.seal(places.map(placeText).join()) : null
}

/** `last_error` where there is one. */
function listedBody({ sighting, status }: Listed): ListedBody {
  const { connection } = sighting
  const { failure } = connection
  return {
    ...connectionBody(connection, sighting),
    status,
    generation: connection.generation,
    refresh_token_hard_expires_at: connection.refreshTokenHardExpiresAt ?? null,
    ...(failure && { last_error: errorBody(failure) }),
  }
}

function seesAll({ companies }: Caller) {
  return companies.includes('*')
}

/** `GET /api/connections` and `GET /api/connections/summary`, where an index is configured; else they are left to those after. */
export function fleetRoutes(fleet: Fleet, cursors: Cursors) {
  return new Hono<{ Variables: AccessVariables }>()
    .get('/', may('connection:read'), async (c, next) => {
      if (!fleet.isConfigured()) return next()
      const caller = c.get('caller')
      const { connections, places } = await fleet.list({
        limit: limitOf(c),
        status: oneOf(c, 'status', STATUSES),
        environment: oneOf(c, 'environment', ENVIRONMENTS),
        places: await placesOf(c, cursors),
        caller: seesAll(caller) ? undefined : caller,
      })
      return c.json({
        connections: connections.map(listedBody),
        cursor: await sealed(places, cursors),
      } satisfies ListingBody)
    })
    .get('/summary', may('connection:read'), async (c, next) => {
      if (!fleet.isConfigured()) return next()
      if (!seesAll(c.get('caller'))) {
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
