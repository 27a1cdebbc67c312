import { createHash, randomBytes } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { IntuitApp } from './authorize.ts'
import type { Fault, FaultQueue } from './faults.ts'
import type { Knobs } from './knobs.ts'
import type { IssuedPair, Ledger } from './ledger.ts'

export type Env = { Bindings: HttpBindings }

/** What happened at one presentation of a code or refresh token; the token by its SHA-256. */
export interface Presentation {
  grantType: string
  presented: string
  outcome: 'same' | 'rotated' | 'invalid_grant'
  realmId: string | undefined
}

interface TokenParts {
  apps: IntuitApp[]
  ledger: Ledger
  faults: FaultQueue
  knobs(): Knobs
  onPresentation(presentation: Presentation): void
  onRevocation(): void
}

const tid = () => `1-${randomBytes(4).toString('hex')}-${randomBytes(12).toString('hex')}`
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => undefined)

const formDecoded = (text: string) => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return ''
  }
}

/** HTTP Basic, id and secret each form-encoded (RFC 6749 section 2.3.1). */
const authenticated = (c: Context, apps: IntuitApp[]): IntuitApp | undefined => {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]
  const [id, ...rest] = Buffer.from(encoded ?? '', 'base64')
    .toString()
    .split(':')
  return apps.find((app) => app.clientId === formDecoded(id ?? '') && app.clientSecret === formDecoded(rest.join(':')))
}

const DESCRIPTIONS = {
  none: {},
  current: { error_description: 'Incorrect or invalid refresh token' },
  old: { error_description: 'Token invalid' },
}

const pairBody = (pair: IssuedPair, asStrings: boolean, withHardExpiry: boolean) => {
  const number = (value: number) => (asStrings ? String(value) : value)
  return {
    token_type: 'bearer',
    expires_in: number(pair.accessSeconds),
    refresh_token: pair.refreshToken,
    x_refresh_token_expires_in: number(pair.refreshSeconds),
    access_token: pair.accessToken,
    ...(withHardExpiry ? { x_refresh_token_hard_expires_in: number(pair.hardSeconds) } : {}),
  }
}

/** The answer with other members. One without a JSON object stays as it is. */
const reshaped = async (answer: Response, { set, omit }: Extract<Fault, { kind: 'reshape' }>): Promise<Response> => {
  const body: unknown = await answer.json().catch(() => undefined)
  if (typeof body !== 'object') return answer
  const members = Object.entries({ ...body, ...set }).filter(([name]) => !omit.includes(name))
  return Response.json(Object.fromEntries(members), { status: answer.status })
}

/** Applies a fault around an answer. A cut socket has no answer, so the promise stays open. */
const faulty = async (
  c: Context<Env>,
  fault: Fault | undefined,
  answer: () => Promise<Response>,
): Promise<Response> => {
  switch (fault?.kind) {
    case undefined:
      return answer()
    case 'status':
      return new Response(fault.body, {
        status: fault.status,
        headers: { 'Content-Type': fault.contentType, ...fault.headers },
      })
    case 'invalid_grant_outage':
      return c.json({ error: 'invalid_grant' }, 400)
    case 'delay':
      await wait(fault.ms)
      return answer()
    case 'reshape':
      return reshaped(await answer(), fault)
    case 'huge':
      return c.body('['.repeat(fault.bytes), 200, { 'Content-Type': 'application/json' })
    case 'reset_after':
      await answer()
      c.env.incoming.socket.destroy()
      return never()
    case 'reset_before':
      c.env.incoming.socket.destroy()
      return never()
    case 'hang':
      return never()
  }
}

/** Token endpoint and revocation endpoint, each answer with an `intuit_tid`. */
export const tokenRoutes = ({ apps, ledger, faults, knobs, onPresentation, onRevocation }: TokenParts) => {
  const invalidGrant = (c: Context) =>
    c.json({ error: 'invalid_grant', ...DESCRIPTIONS[knobs().invalidGrantDescription] }, 400)

  const present = (app: IntuitApp, form: Record<string, string>): IssuedPair | undefined => {
    const isCode = form['grant_type'] === 'authorization_code'
    const presented = (isCode ? form['code'] : form['refresh_token']) ?? ''
    const pair = isCode ? ledger.redeem(app, presented, form['redirect_uri'] ?? '') : ledger.refresh(app, presented)
    onPresentation({
      grantType: form['grant_type'] ?? '',
      presented: createHash('sha256').update(presented).digest('hex'),
      outcome: pair ? (pair.rotated ? 'rotated' : 'same') : 'invalid_grant',
      realmId: pair?.realmId,
    })
    return pair
  }

  const token = async (c: Context): Promise<Response> => {
    const app = authenticated(c, apps)
    if (!app) return c.json({ error: 'invalid_client' }, 401)
    const form = Object.fromEntries(new URLSearchParams(await c.req.text()))
    if (form['grant_type'] !== 'authorization_code' && form['grant_type'] !== 'refresh_token') {
      return c.json({ error: 'unsupported_grant_type' }, 400)
    }
    const pair = present(app, form)
    if (!pair) return invalidGrant(c)
    const answered = ledger.answering(pair.grantId)
    await wait(knobs().tokenDelayMs)
    answered()
    const withHardExpiry = c.req.header('x-include-refresh-token-hard-expires-in') === 'true'
    return c.json(pairBody(pair, knobs().numbersAsStrings, withHardExpiry))
  }

  const revoke = async (c: Context): Promise<Response> => {
    onRevocation()
    const app = authenticated(c, apps)
    const body: unknown = await c.req.json().catch(() => undefined)
    const value = typeof body === 'object' && body !== null && 'token' in body ? String(body.token) : ''
    return c.body(null, app && ledger.revoke(app, value) ? 200 : 400)
  }

  const company = (c: Context) => {
    const realmId = ledger.realmOf((c.req.header('Authorization') ?? '').replace(/^Bearer /, ''))
    if (!realmId) return c.json({ Fault: { type: 'AUTHENTICATION' } }, 401)
    if (realmId !== c.req.param('realmId')) return c.json({ Fault: { type: 'AUTHORIZATION' } }, 403)
    return c.json({ CompanyInfo: { Id: '1', CompanyName: `Company ${realmId}` } })
  }

  return new Hono<Env>()
    .use(async (c, next) => {
      await next()
      c.header('intuit_tid', tid())
    })
    .post('/oauth2/v1/tokens/bearer', (c) => faulty(c, faults.take('token'), () => token(c)))
    .post('/v2/oauth2/tokens/revoke', (c) => faulty(c, faults.take('revoke'), () => revoke(c)))
    .get('/v3/company/:realmId/companyinfo/:id', company)
}
