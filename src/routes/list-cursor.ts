import * as v from 'valibot'
import type { ListPlaces, ListRequest } from '../fleet/list.ts'

/** What a cursor is bound to. It is valid for one list only. */
export type ListFilter = Pick<ListRequest, 'status' | 'environment'>

/** Encodes and decodes cursors. */
export interface Cursors {
  encrypt(text: string): Promise<string>
  decrypt(cursor: string): Promise<string | undefined>
}

/** A position: the start, the end, or the last connection of the previous page. */
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

/** `undefined`: it is not one of our cursors, or it has another filter or number of shards. */
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
