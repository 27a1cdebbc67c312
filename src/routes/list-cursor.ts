import * as v from 'valibot'
import type { ListPlaces, ListRequest } from '../fleet/list.ts'

/** What a cursor belongs to: the places of one list are none of another. */
export type ListFilter = Pick<ListRequest, 'status' | 'environment'>

/** Makes a cursor of what it says, and reads its own ones. */
export interface Cursors {
  encrypt(text: string): Promise<string>
  decrypt(cursor: string): Promise<string | undefined>
}

/** A place: none yet, the end, or the last connection that was passed. */
const PLACE = v.union([v.null(), v.literal('end'), v.strictTuple([v.pipe(v.number(), v.finite()), v.string()])])

const CURSOR = v.pipe(
  v.string(),
  v.parseJson(),
  v.strictObject({
    status: v.nullable(v.string()),
    environment: v.nullable(v.string()),
    places: v.array(PLACE),
  }),
)

function toPlace(place: v.InferOutput<typeof PLACE>): ListPlaces[number] {
  if (place === null || place === 'end') return place ?? undefined
  const [diesAt, companyKey] = place
  return { diesAt, companyKey }
}

/** The cursor of the next page of a list. */
export function makeCursor(places: ListPlaces, { status, environment }: ListFilter, cursors: Cursors): Promise<string> {
  return cursors.encrypt(
    JSON.stringify({
      status: status ?? null,
      environment: environment ?? null,
      places: places.map((place) =>
        place === undefined || place === 'end' ? (place ?? null) : [place.diesAt, place.companyKey],
      ),
    }),
  )
}

/** `undefined`: not one of ours, or of a list with another filter or of another number of shards. */
export async function readCursor(
  cursor: string,
  { status, environment }: ListFilter,
  shards: number,
  cursors: Cursors,
): Promise<ListPlaces | undefined> {
  const parsed = v.safeParse(CURSOR, await cursors.decrypt(cursor))
  if (!parsed.success) return undefined
  const { places, ...filter } = parsed.output
  const isOfThisList = filter.status === (status ?? null) && filter.environment === (environment ?? null)
  return isOfThisList && places.length === shards ? places.map(toPlace) : undefined
}
