import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { closeServer, LOOPBACK, listen } from '../listen.ts'
import { authorizeRoutes, type IntuitApp } from './authorize.ts'
import { type Counts, controlRoutes } from './control.ts'
import { faultQueue } from './faults.ts'
import { DEFAULT_KNOBS, type Knobs } from './knobs.ts'
import { createLedger } from './ledger.ts'
import { type Remembered, readState, writeState } from './state-file.ts'
import { type Env, type Presentation, tokenRoutes } from './token.ts'

export interface IntuitOptions {
  apps: IntuitApp[]
  /** A free one if absent. */
  port?: number
  /** Where codes and tokens outlive a restart; in memory if absent. */
  stateFile?: string
  /** Milliseconds since the epoch. */
  now?: () => number
  knobs?: Partial<Knobs>
}

export interface Intuit {
  url: string
  close(): Promise<void>
}

const token = (prefix: string, length: number) =>
  prefix +
  randomBytes(length)
    .toString('hex')
    .slice(0, Math.max(16, length - prefix.length))

const noCounts = (): Counts => ({ authorize: 0, exchange: 0, refresh: 0, revoke: 0 })

/** Starts a stand-in for Intuit's authorization server on loopback. It behaves as Intuit's does, for apps of its own. */
export const startIntuit = async (options: IntuitOptions): Promise<Intuit> => {
  const { apps, port = 0, stateFile, now = Date.now } = options
  const initialKnobs = { ...DEFAULT_KNOBS, ...options.knobs }
  let knobs = initialKnobs
  let counts = noCounts()
  let presentations: Presentation[] = []
  const state: Remembered = stateFile ? readState(stateFile) : { codes: [], grants: [], clockOffsetSeconds: 0 }
  const faults = faultQueue()
  const nowSeconds = () => Math.floor(now() / 1000) + state.clockOffsetSeconds
  const ledger = createLedger({ state, now: nowSeconds, knobs: () => knobs, token })

  const app = new Hono<Env>()
  app.use(async (_, next) => {
    await next()
    if (stateFile) writeState(stateFile, state)
  })
  app.route(
    '/connect/oauth2',
    authorizeRoutes({ apps, ledger, knobs: () => knobs, onRequest: () => counts.authorize++ }),
  )
  app.route(
    '/_control',
    controlRoutes({
      ledger,
      faults,
      knobs: () => knobs,
      turn: (turned) => {
        knobs = { ...knobs, ...turned }
      },
      counts: () => counts,
      presentations: () => presentations,
      advance: (seconds) => {
        state.clockOffsetSeconds += seconds
      },
      reset: () => {
        Object.assign(state, { codes: [], grants: [], clockOffsetSeconds: 0 })
        faults.clear()
        knobs = initialKnobs
        counts = noCounts()
        presentations = []
      },
    }),
  )
  app.route(
    '/',
    tokenRoutes({
      apps,
      ledger,
      faults,
      knobs: () => knobs,
      onPresentation: (presentation) => {
        presentations.push(presentation)
        if (presentation.grantType === 'refresh_token') counts.refresh++
        else counts.exchange++
      },
      onRevocation: () => counts.revoke++,
    }),
  )

  const server = createServer(getRequestListener(app.fetch))
  const listeningOn = await listen(server, port)
  return { url: `http://${LOOPBACK}:${listeningOn}`, close: () => closeServer(server) }
}
