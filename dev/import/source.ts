import type { PlainRecord } from './plain.ts'

/** One record as it was found; without `values` where it could not be read. `place` says where, for a person to look. */
export interface Found {
  place: string
  values: PlainRecord | undefined
  /** Why it could not be read; that it is no JSON object if absent. */
  fault?: string
}

/** Some records and where the next page begins: what a checkpoint keeps. JSON; `undefined` after the last page. */
export interface Page {
  found: Found[]
  next: unknown
}

/** Records of an earlier table, page by page, from the beginning or from a page's `next`. */
export interface Source {
  /** Names what is read, so that a checkpoint is not taken for another import's. */
  name: string
  pages(from: unknown): AsyncIterable<Page>
}

/** Records in a page: what a killed import does again. */
export const PAGE_SIZE = 200
