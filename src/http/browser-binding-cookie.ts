import type { Context } from 'hono'
import type { BrowserBinding } from '../broker/consent/start.ts'
import { listHostCookies, readHostCookie, setHostCookie } from './cookies.ts'

/*
 * One cookie per consent, so that several consents in one browser do not disturb each other. The name comes from the
 * state's nonce. The value is a secret whose digest is in the state's record. The cookie lives as long as the state:
 * only this browser sees the outcome of the first visit when it opens the callback again.
 */

const PREFIX = 'start-'
const NAME_CHARACTERS = 12
/** More consents than a person starts at once, in less than 2 KB of header. */
const MAX_COOKIES = 16

function toCookieName(nonce: string) {
  return PREFIX + nonce.slice(0, NAME_CHARACTERS)
}

/** Deletes the oldest cookies. They come first in the header (RFC 6265 section 5.4). */
function deleteOldest(c: Context) {
  const names = listHostCookies(c).filter((name) => name.startsWith(PREFIX))
  const surplus = names.slice(0, Math.max(0, names.length - MAX_COOKIES + 1))
  for (const name of surplus) setHostCookie(c, name, '', 0)
}

/** Gives the browser the secret that it has to send at the callback. */
export function bindBrowser(c: Context, { nonce, secret, seconds }: BrowserBinding): void {
  deleteOldest(c)
  setHostCookie(c, toCookieName(nonce), secret, seconds)
}

/** The secret that the browser sends for a state. `undefined` if it sends none, or the state is malformed. */
export function readBrowserSecret(c: Context, state: string): string | undefined {
  const nonce = state.slice(state.indexOf(':') + 1)
  return /^[\w-]{12}/.test(nonce) ? readHostCookie(c, toCookieName(nonce)) : undefined
}
