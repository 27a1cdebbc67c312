import type { TokenError, TokenResult, Used } from '../../src/broker/ports/intuit.ts'

/** The error for a response without information about the token. */
export const UNAVAILABLE: TokenError = {
  ...{ ok: false, reason: 'unavailable' },
  ...{ intuitError: undefined, intuitTid: undefined, retryAfterSeconds: undefined },
}

/** One use of a refresh token, and how Intuit responded. `lost`: Intuit issued a token pair and the response was lost. */
export interface TokenUse {
  token: string
  outcome: 'granted' | 'refused' | 'lost' | 'out'
}

interface FakeIntuitOptions {
  /** Seconds since the epoch. */
  now(): number
  /** Delays the request or the response. */
  delay(when: 'before' | 'after'): Promise<void>
  /** Whether a response with a token pair is lost. */
  loses?(): boolean
  /** Whether a lost response may still arrive late. */
  hangs?(): boolean
  /** Waits, then resolves to whether the late response arrives. Default: it never arrives. */
  comesLate?(): Promise<boolean>
  /** Whether Intuit has an outage: it processes nothing. */
  isOut?(): boolean
  /** Whether a refresh rotates the token. Default: always, which is the hardest case. */
  rotates?(): boolean
}

/** An authorization server that ends the connection when a superseded token is used again. */
export const createFakeIntuit = (options: FakeIntuitOptions) => {
  let current = 'refresh-0'
  let issued = 0
  let dead = false
  const superseded = new Set<string>()
  const uses: TokenUse[] = []

  const grant = (): TokenResult => {
    issued++
    if (options.rotates?.() ?? true) {
      superseded.add(current)
      current = `refresh-${issued}`
    }
    const now = options.now()
    return {
      ok: true,
      intuitTid: `tid-${issued}`,
      pair: {
        accessToken: `access-${issued}`,
        accessTokenExpiresAt: now + 3600,
        refreshToken: current,
        refreshTokenExpiresAt: now + 8_726_400,
        refreshTokenHardExpiresAt: undefined,
      },
    }
  }

  /** The result for a caller whose response does not arrive in time. */
  const toLost = (answer: TokenResult): Used => {
    const late = options.comesLate?.().then((comes) => (comes ? answer : undefined)) ?? Promise.resolve(undefined)
    return { answer: UNAVAILABLE, late: options.hangs?.() ? late : undefined }
  }
  const toInTime = (answer: TokenResult): Used => ({ answer, late: undefined })

  const refresh = async (token: string): Promise<Used> => {
    await options.delay('before')
    if (options.isOut?.()) {
      uses.push({ token, outcome: 'out' })
      return toInTime(UNAVAILABLE)
    }
    if (superseded.has(token)) dead = true
    if (dead || token !== current) {
      uses.push({ token, outcome: 'refused' })
      await options.delay('after')
      return toInTime({ ...UNAVAILABLE, reason: 'invalid_grant' })
    }
    const answer = grant()
    const lost = options.loses?.() ?? false
    uses.push({ token, outcome: lost ? 'lost' : 'granted' })
    await options.delay('after')
    return lost ? toLost(answer) : toInTime(answer)
  }

  return { refresh, uses, current: () => current, isDead: () => dead }
}
