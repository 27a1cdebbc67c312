import * as v from 'valibot'
import { TRUE_OR_FALSE } from './formats.ts'
import { KEY_LIST } from './key-list.ts'

/**
 * Who can start a consent: anyone who knows the company key (`open`), or only holders of a signed start link (`signed`).
 * `bindsBrowser`: the consent must end in the browser in which it started.
 */
export const START_LINKS = v.pipe(
  v.object({
    START_LINKS: v.optional(v.picklist(['open', 'signed'], 'must be open or signed'), 'open'),
    START_LINK_KEYS: v.optional(KEY_LIST),
    BIND_BROWSER: v.optional(TRUE_OR_FALSE),
  }),
  v.forward(
    v.check(
      ({ START_LINKS, START_LINK_KEYS }) => START_LINKS === 'open' || START_LINK_KEYS !== undefined,
      'is missing, and START_LINKS=signed needs it',
    ),
    ['START_LINK_KEYS'],
  ),
  v.transform(({ START_LINKS, START_LINK_KEYS, BIND_BROWSER }) => ({
    mode: START_LINKS,
    keys: START_LINK_KEYS ?? [],
    bindsBrowser: BIND_BROWSER === undefined ? START_LINKS === 'signed' : BIND_BROWSER === 'true',
  })),
)
