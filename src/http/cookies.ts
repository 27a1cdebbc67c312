import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'

/*
 * Cookies for this host only, which scripts cannot read. The `__Host-` prefix prevents other hosts of the domain, and
 * plain http, from setting one (RFC 6265bis section 4.1.3.2). `Lax`: Intuit sends the browser back by a top-level
 * navigation.
 */

const HOST_PREFIX = '__Host-'

/** Sets a cookie. `seconds` is its lifetime; 0 deletes it. */
export function setHostCookie(c: Context, name: string, value: string, seconds: number): void {
  setCookie(c, name, value, {
    prefix: 'host',
    path: '/',
    httpOnly: true,
    secure: true,
    sameSite: 'Lax',
    maxAge: seconds,
  })
}

/** The value of a cookie. `undefined` if the browser sends none. */
export function readHostCookie(c: Context, name: string): string | undefined {
  return getCookie(c, name, 'host')
}

/** The names of the cookies that the browser sends, in the order of its header. */
export function listHostCookies(c: Context): string[] {
  return Object.keys(getCookie(c)).flatMap((name) =>
    name.startsWith(HOST_PREFIX) ? [name.slice(HOST_PREFIX.length)] : [],
  )
}
