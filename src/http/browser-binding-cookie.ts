import type { Context } from 'hono'
import type { BrowserBinding } from '../broker/consent/start.ts'
import { hostCookies, setHostCookie } from './cookies.ts'

/*
 * One cookie for each consent under way, so that several in one browser do not disturb each other: its name is of the
 * state's nonce, its value what the state's record holds the digest of. It stays for as long as the state lives: a
 * browser that opens the callback again is told what its first visit came to, and no other browser is.
 */

const PREFIX = 'start-'
const NAME_CHARACTERS = 12
/** More consents at once than a person begins, in less than 2 KB of header. */
const MOST_COOKIES = 16

function cookieName(nonce: string) {
  return PREFIX + nonce.slice(0, NAME_CHARACTERS)
}

/** `undefined` where the state is of no form that could have a cookie. */
function toCookieName(state: string) {
  const nonce = state.slice(state.indexOf(':') + 1)
  return /^[\w-]{12}/.test(nonce) ? cookieName(nonce) : undefined
}

/** The oldest come first in the header (RFC 6265 section 5.4). */
function dropOldest(c: Context) {
  const names = [...hostCookies(c).keys()].filter((name) => name.startsWith(PREFIX))
  const surplus = names.slice(0, Math.max(0, names.length - MOST_COOKIES + 1))
  for (const name of surplus) setHostCookie(c, name, '', 0)
}

/** Gives the browser what it has to present at the callback, for as long as the state lives. */
export function bindBrowser(c: Context, { nonce, secret, seconds }: BrowserBinding): void {
  dropOldest(c)
  setHostCookie(c, cookieName(nonce), secret, seconds)
}

/** What the browser presents for this state. */
export function browserSecret(c: Context, state: string): string | undefined {
  const name = toCookieName(state)
  return name === undefined ? undefined : hostCookies(c).get(name)
}
