import type { Context } from 'hono'
import { Hono } from 'hono'
import type { Broker } from '../broker/broker.ts'
import { parseCompanyKey, parseCompanyName } from '../broker/company.ts'
import type { CallbackParameters, Connected } from '../broker/consent/callback.ts'
import { bindBrowser, readBrowserSecret } from '../http/browser-binding-cookie.ts'
import { prefersHtml, queryParameter, requireShortQuery, waitUntil } from '../http/request.ts'
import { Problem } from '../problem.ts'
import { answerConnected } from './pages.ts'
import type { CallbackBody } from './schemas/callback.ts'
import { CODE, ERROR, REALM_ID } from './schemas/parameter-formats.ts'
import { readSignature } from './start-link.ts'

/**
 * Everything after `/start/` is the company key, including line terminators, which a dot would not match.
 */
export const START_ROUTE = '/start/:company_key{[\\s\\S]*}'

function malformed(name: string, form: string) {
  return new Problem('invalid_request', `The parameter ${name} must be ${form}.`)
}

function parseRealmId(c: Context) {
  const realmId = queryParameter(c, 'realmId')
  if (!realmId || REALM_ID.test(realmId)) return realmId || undefined
  throw malformed('realmId', '1 to 19 digits without a leading zero')
}

function callbackParameters(c: Context): CallbackParameters {
  const [code, state, error] = [queryParameter(c, 'code'), queryParameter(c, 'state'), queryParameter(c, 'error')]
  const realmId = parseRealmId(c)
  if (!code && !error)
    throw new Problem('missing_code', 'The parameter code is missing. Begin again at the start link.')
  if (!state) throw new Problem('missing_state', 'The parameter state is missing. Begin again at the start link.')
  const common = { state, realmId, browserSecret: readBrowserSecret(c, state) }
  if (error) {
    if (!ERROR.test(error)) throw malformed('error', 'at most 100 visible characters')
    return { outcome: 'refused', error, ...common }
  }
  if (!code || !CODE.test(code)) throw malformed('code', 'at most 512 visible characters')
  return { outcome: 'granted', code, ...common }
}

/**
 * "Stored output" of the API reference without the tokens. `realm_in_use`: the company is also connected under another
 * key.
 */
function callbackBody({ connection, sharesRealm }: Connected): CallbackBody {
  return {
    company_key: connection.companyKey,
    company_name: connection.companyName,
    realm_id: connection.realmId ?? null,
    access_token_expires_at: connection.accessTokenExpiresAt ?? null,
    refresh_token_expires_at: connection.refreshTokenExpiresAt ?? null,
    uses_sandbox_credentials: connection.environment === 'sandbox',
    connected: true,
    realm_in_use: sharesRealm,
  }
}

/** The consent of a person: `GET /oauth/start/{company_key}` and `GET /oauth/callback`. */
export function oauthRoutes(broker: Broker, successRedirectUrl: () => string | undefined) {
  const start = async (c: Context) => {
    requireShortQuery(c)
    const companyKey = parseCompanyKey(c.req.param('company_key') ?? '')
    const companyName = parseCompanyName(queryParameter(c, 'company_name'))
    const signature = readSignature(c)
    const { authorizationUrl, binding } = await broker.start({ companyKey, companyName, signature })
    if (binding) bindBrowser(c, binding)
    return c.redirect(authorizationUrl, 302)
  }

  const callback = async (c: Context) => {
    requireShortQuery(c)
    const isPerson = prefersHtml(c)
    const onwardUrl = isPerson ? successRedirectUrl() : undefined
    const parameters = callbackParameters(c)
    const connected = await broker.finish(parameters, waitUntil(c))
    c.set('companyKey', connected.connection.companyKey)
    return isPerson ? answerConnected(c, connected, onwardUrl) : c.json(callbackBody(connected))
  }

  return new Hono().get('/start', start).get(START_ROUTE, start).get('/callback', callback)
}
