import type { PlainRecord } from './plain.ts'

/** One record of the source, without `values` if it could not be read. `place` is for the person who runs the import. */
export interface Found {
  place: string
  values: PlainRecord | undefined
  /** Why it could not be read. Default: it is not a JSON object. */
  fault?: string
}

/** A page of records. A checkpoint stores `next`, the start of the next page: JSON, or `undefined` after the last page. */
export interface Page {
  found: Found[]
  next: unknown
}

/** Reads records page by page, from the beginning or from the `next` of a page. */
export interface Source {
  /** Identifies the source in a checkpoint. */
  name: string
  pages(from: unknown): AsyncIterable<Page>
}

/** Records in a page. An interrupted import repeats at most this many. */
export const PAGE_SIZE = 200
