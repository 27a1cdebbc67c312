import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { BrowserBinding } from '../broker/authorize.ts'

/*
 * One cookie for each consent under way, so that several in one browser do not disturb each other: its name is of the
 * state's nonce, its value what the state's record holds the digest of. `__Host-`: neither another host of the domain
 * nor plain http can plant one. `Lax`: Intuit sends the browser back by a top-level navigation.
 */

const PREFIX = 'start-'
const HOST_PREFIX = `__Host-${PREFIX}`
const NAME_CHARACTERS = 12
/** More consents at once than a person begins, in less than 2 KB of header. */
const MOST_COOKIES = 16

const OPTIONS = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const

const cookieName = (nonce: string) => PREFIX + nonce.slice(0, NAME_CHARACTERS)

/** `undefined` where the state is of no form that could have a cookie. */
const cookieNameOf = (state: string) => {
  const nonce = state.slice(state.indexOf(':') + 1)
  return /^[\w-]{12}/.test(nonce) ? cookieName(nonce) : undefined
}

/** The oldest come first in the header (RFC 6265 section 5.4). */
const dropOldest = (c: Context) => {
  const names = Object.keys(getCookie(c)).filter((name) => name.startsWith(HOST_PREFIX))
  const surplus = names.slice(0, Math.max(0, names.length - MOST_COOKIES + 1))
  for (const name of surplus) deleteCookie(c, name.slice('__Host-'.length), OPTIONS)
}

/** Gives the browser what it has to present at the callback, for as long as the state lives. */
export const bindBrowser = (c: Context, { nonce, secret, seconds }: BrowserBinding): void => {
  dropOldest(c)
  setCookie(c, cookieName(nonce), secret, { ...OPTIONS, maxAge: seconds })
}

/** What the browser presents for this state. */
export const browserSecret = (c: Context, state: string): string | undefined => {
  const name = cookieNameOf(state)
  return name === undefined ? undefined : getCookie(c, name, 'host')
}

/** Takes back what the browser was given for a state that is spent. */
export const releaseBrowser = (c: Context, state: string): void => {
  const name = cookieNameOf(state)
  if (name !== undefined && getCookie(c, name, 'host') !== undefined) deleteCookie(c, name, OPTIONS)
}
