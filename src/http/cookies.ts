import type { Context } from 'hono'

/*
 * Cookies of this host alone, out of reach of scripts: the `__Host-` prefix keeps other hosts of the domain, and plain
 * http, from setting one (RFC 6265bis section 4.1.3.2). `Lax`: Intuit sends the browser back by a top-level navigation.
 * Written by hand, as hono/cookie costs 0.9 KB gzipped for signing and for options that have no use here.
 */

const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax'

/** Gives the browser a cookie for `seconds`; 0 takes it back. */
export function setHostCookie(c: Context, name: string, value: string, seconds: number): void {
  c.header('Set-Cookie', `__Host-${name}=${encodeURIComponent(value)}; Max-Age=${seconds}; ${ATTRIBUTES}`, {
    append: true,
  })
}

/** What the browser presents, by name, in the order of its header. What is no value of ours is left out. */
export function hostCookies(c: Context): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const [, name, value] of (c.req.header('Cookie') ?? '').matchAll(/(?:^|; ?)__Host-([^=;]+)=([^;]*)/g)) {
    if (name === undefined || value === undefined || cookies.has(name)) continue
    try {
      cookies.set(name, decodeURIComponent(value))
    } catch {
      // Not encoded as ours are.
    }
  }
  return cookies
}
