import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { closeServer, LOOPBACK, listen } from '../listen.ts'
import { createApiRoutes } from './api-routes.ts'
import type { Env } from './apply-fault.ts'
import { createAuthorizationRoutes } from './authorization-endpoint.ts'
import { type Counts, createControlRoutes } from './control.ts'
import { createDiscoveryRoutes } from './discovery.ts'
import { createFaultQueue } from './faults.ts'
import { createIdTokenIssuer, type IdTokenIssuer } from './id-token.ts'
import type { IntuitApp, Issuer } from './issuer.ts'
import { DEFAULT_KNOBS, type Knobs } from './knobs.ts'
import { createState } from './state.ts'
import { readState, writeState } from './state-file.ts'
import type { TokenUse } from './token-endpoint.ts'

interface IntuitOptions {
  apps: IntuitApp[]
  /** Default: a free port. */
  port?: number
  /** The file that stores codes and tokens for the next start. Default: in memory. */
  stateFile?: string
  /** Milliseconds since the epoch. */
  now?: () => number
  knobs?: Partial<Knobs>
  /** The `iss` of ID tokens. Default: an address of this server. */
  idTokenIssuer?: string
}

/** A running stand-in. */
export interface Intuit {
  url: string
  close(): Promise<void>
}

const createToken = (prefix: string, length: number) =>
  prefix +
  randomBytes(length)
    .toString('hex')
    .slice(0, Math.max(16, length - prefix.length))

const createCounts = (): Counts => ({ authorize: 0, exchange: 0, refresh: 0, revoke: 0 })

/** Creates the routes of the stand-in and their counters. */
const createApp = (
  apps: IntuitApp[],
  issuer: Issuer,
  idTokens: IdTokenIssuer,
  setKnobs: (changes?: Partial<Knobs>) => void,
) => {
  let counts = createCounts()
  let tokenUses: TokenUse[] = []
  const faults = createFaultQueue()
  const onTokenUse = (use: TokenUse) => {
    tokenUses.push(use)
    if (use.grantType === 'refresh_token') counts.refresh++
    else counts.exchange++
  }
  const reset = () => {
    Object.assign(issuer.state, createState())
    faults.clear()
    setKnobs()
    counts = createCounts()
    tokenUses = []
  }
  const authorization = createAuthorizationRoutes({ apps, issuer, onRequest: () => counts.authorize++ })
  const control = { issuer, faults, counts: () => counts, tokenUses: () => tokenUses, setKnobs, reset }
  const api = createApiRoutes({ apps, issuer, faults, idTokens, onTokenUse, onRevocation: () => counts.revoke++ })
  return new Hono<Env>()
    .route('/connect/oauth2', authorization)
    .route('/_control', createControlRoutes(control))
    .route('/', api)
}

/** Starts a stand-in for Intuit's authorization server on loopback, for the given apps. */
export const startIntuit = async (options: IntuitOptions): Promise<Intuit> => {
  const { apps, port = 0, stateFile, now = Date.now } = options
  const initialKnobs = { ...DEFAULT_KNOBS, ...options.knobs }
  let knobs = initialKnobs
  /** Without changes, restores the initial values. */
  const setKnobs = (changes?: Partial<Knobs>) => {
    knobs = changes ? { ...knobs, ...changes } : initialKnobs
  }
  const state = stateFile ? readState(stateFile) : createState()
  const nowSeconds = () => Math.floor(now() / 1000) + state.clockOffsetSeconds
  const issuer: Issuer = { state, now: nowSeconds, knobs: () => knobs, createToken, inFlight: new Set() }

  const app = new Hono<Env>()
  app.use(async (_, next) => {
    await next()
    if (stateFile) writeState(stateFile, state)
  })
  /** Known when the server listens. */
  let url = ''
  const idTokens = await createIdTokenIssuer(() => options.idTokenIssuer ?? `${url}/op/v1`)
  app.route(
    '/',
    createDiscoveryRoutes(idTokens, () => url),
  )
  app.route('/', createApp(apps, issuer, idTokens, setKnobs))
  const server = createServer(getRequestListener(app.fetch))
  const usedPort = await listen(server, port)
  url = `http://${LOOPBACK}:${usedPort}`
  return { url, close: () => closeServer(server) }
}
