import { decodeBase64 } from 'hono/utils/encode'
import * as v from 'valibot'
import { TEXT } from './formats.ts'

const ENTRY = /^([\w.-]{1,64}):([A-Za-z0-9+/]{43}=)$/

function parseEntries(list: string) {
  return list.split(',').flatMap((entry) => {
    const [, kid, base64] = ENTRY.exec(entry.trim()) ?? []
    return kid && base64 ? [{ kid, bytes: decodeBase64(base64) }] : []
  })
}

function isKeyList(list: string) {
  return new Set(parseEntries(list).map(({ kid }) => kid)).size === list.split(',').length
}

/** `kid:base64(32 bytes)`, comma-separated. The first key encrypts or signs. The others only decrypt or verify. */
export const KEY_LIST = v.pipe(
  TEXT,
  v.check(isKeyList, 'must be kid:base64(32 bytes), comma-separated, each kid once'),
  v.transform(parseEntries),
)
