import type { Environment } from './companies.ts'
import type { Knobs } from './knobs.ts'

export interface App {
  environment: Environment
  clientId: string
}

interface Code {
  value: string
  clientId: string
  redirectUri: string
  realmId: string
  expiresAt: number
  redeemedAs: string | undefined
}

/** What one consent gave. Times in epoch seconds of the stand-in's own clock. */
interface Grant {
  id: string
  clientId: string
  realmId: string
  alive: boolean
  refreshToken: string
  refreshTokenBornAt: number
  hardExpiresAt: number
  superseded: { value: string; at: number }[]
  accessTokens: { value: string; expiresAt: number }[]
}

/** Everything that the stand-in remembers, as plain data. */
export interface LedgerState {
  codes: Code[]
  grants: Grant[]
}

export interface IssuedPair {
  grantId: string
  realmId: string
  rotated: boolean
  accessToken: string
  accessSeconds: number
  refreshToken: string
  refreshSeconds: number
  hardSeconds: number
}

interface LedgerParts {
  state: LedgerState
  /** Epoch seconds. */
  now(): number
  knobs(): Knobs
  /** An unguessable text of that many characters. */
  token(prefix: string, length: number): string
}

/** Intuit's rules of codes and tokens, without HTTP. `undefined` is `invalid_grant`. */
export const createLedger = ({ state, now, knobs, token }: LedgerParts) => {
  const inFlight = new Set<string>()

  const issue = (grant: Grant, rotated: boolean): IssuedPair => {
    const { accessTokenLivesSeconds, accessTokenLength, refreshTokenLivesSeconds } = knobs()
    const accessToken = token('eyJhbGciOiJkaXIi', accessTokenLength)
    grant.accessTokens = grant.accessTokens.filter((access) => access.expiresAt > now())
    grant.accessTokens.push({ value: accessToken, expiresAt: now() + accessTokenLivesSeconds })
    return {
      grantId: grant.id,
      realmId: grant.realmId,
      rotated,
      accessToken,
      accessSeconds: accessTokenLivesSeconds,
      refreshToken: grant.refreshToken,
      refreshSeconds: grant.refreshTokenBornAt + refreshTokenLivesSeconds - now(),
      hardSeconds: grant.hardExpiresAt - now(),
    }
  }

  const newRefreshToken = () => token('RT1-39-H3-', knobs().refreshTokenLength)

  const issueCode = (app: App, redirectUri: string, realmId: string): string => {
    const value = token('XAB', 50)
    const expiresAt = now() + knobs().codeLivesSeconds
    state.codes.push({ value, clientId: app.clientId, redirectUri, realmId, expiresAt, redeemedAs: undefined })
    return value
  }

  const open = (app: App, realmId: string): Grant => {
    if (knobs().consentKillsFormer) {
      for (const former of state.grants) {
        if (former.clientId === app.clientId && former.realmId === realmId) former.alive = false
      }
    }
    const grant: Grant = {
      id: token('grant-', 20),
      clientId: app.clientId,
      realmId,
      alive: true,
      refreshToken: newRefreshToken(),
      refreshTokenBornAt: now(),
      hardExpiresAt: now() + knobs().hardLivesSeconds,
      superseded: [],
      accessTokens: [],
    }
    state.grants.push(grant)
    return grant
  }

  const redeem = (app: App, value: string, redirectUri: string): IssuedPair | undefined => {
    const code = state.codes.find((one) => one.value === value)
    if (code?.clientId !== app.clientId || code.redirectUri !== redirectUri || code.expiresAt <= now()) return undefined
    if (code.redeemedAs !== undefined) {
      const first = state.grants.find(({ id }) => id === code.redeemedAs)
      if (first && knobs().replayKills) first.alive = false
      return undefined
    }
    const grant = open(app, code.realmId)
    code.redeemedAs = grant.id
    return issue(grant, true)
  }

  const isSuperseded = (grant: Grant, value: string) => grant.superseded.some((former) => former.value === value)

  /** A superseded value that still counts, or the current one. */
  const accepts = (grant: Grant, value: string) => {
    if (grant.refreshToken === value) return true
    const former = grant.superseded.find((one) => one.value === value)
    return former !== undefined && now() < former.at + knobs().supersededLivesSeconds
  }

  const isDead = (grant: Grant) =>
    !grant.alive || now() >= grant.refreshTokenBornAt + knobs().refreshTokenLivesSeconds || now() >= grant.hardExpiresAt

  const rotate = (grant: Grant) => {
    grant.superseded.push({ value: grant.refreshToken, at: now() })
    grant.refreshToken = newRefreshToken()
    grant.refreshTokenBornAt = now()
  }

  const refresh = (app: App, value: string): IssuedPair | undefined => {
    const grant = state.grants.find((one) => one.refreshToken === value || isSuperseded(one, value))
    if (grant?.clientId !== app.clientId) return undefined
    const { concurrentRefresh, reuseKills, rotateAfterSeconds, refreshKillsAccessToken } = knobs()
    if (inFlight.has(grant.id) && concurrentRefresh === 'kill') grant.alive = false
    if (inFlight.has(grant.id) && concurrentRefresh !== 'allow') return undefined
    if (!accepts(grant, value)) {
      if (reuseKills) grant.alive = false
      return undefined
    }
    if (isDead(grant)) return undefined
    const rotates = grant.refreshToken === value && now() - grant.refreshTokenBornAt >= rotateAfterSeconds
    if (rotates) rotate(grant)
    if (refreshKillsAccessToken) grant.accessTokens = []
    return issue(grant, rotates)
  }

  const grantOf = (value: string) =>
    state.grants.find((grant) => grant.refreshToken === value || grant.accessTokens.some((one) => one.value === value))

  /** Whether there was something to revoke. */
  const revoke = (app: App, value: string): boolean => {
    const grant = grantOf(value)
    if (!grant?.alive || grant.clientId !== app.clientId) return false
    grant.alive = false
    grant.accessTokens = []
    return true
  }

  /** The realm that an access token opens. */
  const realmOf = (accessToken: string): string | undefined =>
    state.grants.find((grant) => grant.accessTokens.some((one) => one.value === accessToken && one.expiresAt > now()))
      ?.realmId

  /** A disconnect made inside QuickBooks: the tokens just stop working. */
  const kill = (realmId: string): void => {
    for (const grant of state.grants) {
      if (grant.realmId === realmId) Object.assign(grant, { alive: false, accessTokens: [] })
    }
  }

  return {
    issueCode,
    redeem,
    refresh,
    revoke,
    realmOf,
    kill,
    /** Marks the time between the judgement of a refresh and its answer. */
    answering: (grantId: string) => {
      inFlight.add(grantId)
      return () => inFlight.delete(grantId)
    },
    grants: () => state.grants.map((grant) => ({ ...grant, alive: !isDead(grant) })),
  }
}

export type Ledger = ReturnType<typeof createLedger>
