import type { Context } from 'hono'
import type { IntuitApp } from './issuer.ts'

const decodeForm = (text: string) => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return ''
  }
}

/** Finds the app of a request by HTTP Basic, with id and secret each form-encoded (RFC 6749 section 2.3.1). */
export const authenticateApp = (c: Context, apps: IntuitApp[]): IntuitApp | undefined => {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]
  const [id, ...rest] = Buffer.from(encoded ?? '', 'base64')
    .toString()
    .split(':')
  return apps.find((app) => app.clientId === decodeForm(id ?? '') && app.clientSecret === decodeForm(rest.join(':')))
}
