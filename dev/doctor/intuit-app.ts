import { isLoopback } from '../../src/lib/loopback.ts'
import type { Variables } from '../environment.ts'
import { type Check, createResults } from './check.ts'

/** Checks whether Intuit and this service accept the redirect URI. `fault` is the Worker's own finding. */
export const checkRedirectUri = (variables: Variables, fault: string | undefined): Check => {
  const { ok, warn, fail } = createResults('redirect URI')
  const text = variables['QUICKBOOKS_REDIRECT_URI']
  const register = "It must be identical to the one in the app's settings at Intuit."
  if (!text) return fail('QUICKBOOKS_REDIRECT_URI is not set', 'Set it to https://<your host>/oauth/callback.')
  if (!URL.canParse(text)) return fail('QUICKBOOKS_REDIRECT_URI is not a URL', 'Write it with https:// and the host.')
  const url = new URL(text)
  if (url.search || url.hash || url.username) {
    return fail('QUICKBOOKS_REDIRECT_URI has a query, fragment or user', `Leave it out. ${register}`)
  }
  if (url.pathname !== '/oauth/callback') {
    return fail(`QUICKBOOKS_REDIRECT_URI leads to ${url.pathname}`, `The path is /oauth/callback. ${register}`)
  }
  const isLocal = url.protocol === 'http:' && isLoopback(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) {
    return fail('QUICKBOOKS_REDIRECT_URI is not https', 'Intuit and this service accept https only.')
  }
  if (fault) return fail(fault, register)
  return isLocal
    ? warn(`${text} is on this machine`, "Intuit accepts it for an app's development keys only.")
    : ok(`${text}. ${register}`)
}

type Half = 'both' | 'one' | 'none'
const countValues = (id: string | undefined, secret: string | undefined): Half => {
  if (id && secret) return 'both'
  return id || secret ? 'one' : 'none'
}

/** Checks the client credentials of one environment. Missing ones are a failure only if the other environment has none. */
export const checkClientCredentials = (
  variables: Variables,
  environment: 'production' | 'sandbox',
  fault: string | undefined,
): Check => {
  const { ok, warn, fail } = createResults(`${environment} keys`)
  const prefix = environment === 'sandbox' ? 'QUICKBOOKS_SANDBOX_' : 'QUICKBOOKS_'
  const [id, secret] = [`${prefix}CLIENT_ID`, `${prefix}CLIENT_SECRET`] as const
  const other = environment === 'sandbox' ? 'QUICKBOOKS_' : 'QUICKBOOKS_SANDBOX_'
  const others = countValues(variables[`${other}CLIENT_ID`], variables[`${other}CLIENT_SECRET`])
  const missing = [id, secret].filter((name) => !variables[name]).join(' and ')
  const copy = `Copy it from the app's ${environment === 'sandbox' ? 'development' : 'production'} keys at Intuit.`
  switch (countValues(variables[id], variables[secret])) {
    case 'one':
      return fail(`${missing} is missing`, copy)
    case 'none':
      return others === 'none'
        ? fail(
            `${missing} are missing, as are those of the other environment`,
            `At least one environment needs them. ${copy}`,
          )
        : warn(`${missing} are missing`, `No ${environment} company can be connected. ${copy}`)
    case 'both':
      if (fault) return fail(fault, copy)
      return variables[id] === variables[`${other}CLIENT_ID`]
        ? warn(
            'production and sandbox have the same client id',
            "An app's production and development keys differ at Intuit.",
          )
        : ok(`${id} and ${secret} set`)
  }
}
