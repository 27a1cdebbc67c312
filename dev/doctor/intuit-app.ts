import { isLoopback } from '../../src/config/formats.ts'
import type { Variables } from '../environment.ts'
import { type Check, findings } from './check.ts'

/** Whether Intuit and this service would take the redirect URI. `fault` is what the Worker itself finds wrong. */
export const redirectCheck = (variables: Variables, fault: string | undefined): Check => {
  const { ok, warn, fail } = findings('redirect URI')
  const text = variables['QUICKBOOKS_REDIRECT_URI']
  const register = "It must be the same, to the character, as in the app's settings at Intuit."
  if (!text) return fail('QUICKBOOKS_REDIRECT_URI is not set', 'Set it to https://<your host>/oauth/callback.')
  if (!URL.canParse(text)) return fail('QUICKBOOKS_REDIRECT_URI is no URL', 'Write it with https:// and the host.')
  const url = new URL(text)
  if (url.search || url.hash || url.username) {
    return fail('QUICKBOOKS_REDIRECT_URI has a query, fragment or user', `Leave it out. ${register}`)
  }
  if (url.pathname !== '/oauth/callback') {
    return fail(`QUICKBOOKS_REDIRECT_URI leads to ${url.pathname}`, `The path is /oauth/callback. ${register}`)
  }
  const isLocal = url.protocol === 'http:' && isLoopback(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) {
    return fail('QUICKBOOKS_REDIRECT_URI is not https', 'Intuit and this service take https only.')
  }
  if (fault) return fail(fault, register)
  return isLocal
    ? warn(`${text} is of this machine`, "Intuit takes it with an app's development keys only.")
    : ok(`${text}. ${register}`)
}

type Half = 'both' | 'one' | 'none'
const half = (id: string | undefined, secret: string | undefined): Half => {
  if (id && secret) return 'both'
  return id || secret ? 'one' : 'none'
}

/** One of the app's two key pairs; the other decides how much a missing one matters. */
export const pairCheck = (variables: Variables, world: 'production' | 'sandbox', fault: string | undefined): Check => {
  const { ok, warn, fail } = findings(`${world} keys`)
  const prefix = world === 'sandbox' ? 'QUICKBOOKS_SANDBOX_' : 'QUICKBOOKS_'
  const [id, secret] = [`${prefix}CLIENT_ID`, `${prefix}CLIENT_SECRET`] as const
  const other = world === 'sandbox' ? 'QUICKBOOKS_' : 'QUICKBOOKS_SANDBOX_'
  const others = half(variables[`${other}CLIENT_ID`], variables[`${other}CLIENT_SECRET`])
  const missing = [id, secret].filter((name) => !variables[name]).join(' and ')
  const copy = `Copy it from the app's ${world === 'sandbox' ? 'development' : 'production'} keys at Intuit.`
  switch (half(variables[id], variables[secret])) {
    case 'one':
      return fail(`${missing} is missing`, copy)
    case 'none':
      return others === 'none'
        ? fail(`${missing} are missing, as are the other pair's`, `At least one pair is needed. ${copy}`)
        : warn(`${missing} are missing`, `No ${world} connection can be made. ${copy}`)
    case 'both':
      if (fault) return fail(fault, copy)
      return variables[id] === variables[`${other}CLIENT_ID`]
        ? warn(
            'production and sandbox have one client id',
            "An app's production and development keys differ at Intuit.",
          )
        : ok(`${id} and ${secret} set`)
  }
}
