import type { TokenError, TokenResult, Used } from '../../src/broker/ports/intuit.ts'

/** No answer that says anything. */
export const UNAVAILABLE: TokenError = {
  ...{ ok: false, reason: 'unavailable' },
  ...{ intuitError: undefined, intuitTid: undefined, retryAfterSeconds: undefined },
}

/** What Intuit did with one presentation of a refresh token. */
export interface Presentation {
  token: string
  outcome: 'granted' | 'refused' | 'lost' | 'out'
}

interface FakeIntuitOptions {
  /** Seconds since the epoch. */
  now(): number
  /** Takes its time before and after a presentation is judged. */
  delay(when: 'before' | 'after'): Promise<void>
  /** Whether the answer to a granted presentation never arrives. */
  loses?(): boolean
  /** Whether a lost answer is one that may still be under way. */
  hangs?(): boolean
  /** Takes its time and resolves to whether an answer that was not there in time comes late; it never comes if absent. */
  comesLate?(): Promise<boolean>
  /** Whether it is out: nothing is judged, and nothing answered that makes sense. */
  isOut?(): boolean
  /** Rotates at every refresh by default: the hardest case. */
  rotates?(): boolean
}

/** An authorization server that dies on reuse: a superseded token presented again kills the connection for good. */
export const fakeIntuit = (options: FakeIntuitOptions) => {
  let current = 'refresh-0'
  let issued = 0
  let dead = false
  const superseded = new Set<string>()
  const presentations: Presentation[] = []

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

  /** What a caller hears where the answer does not arrive in time. */
  const unheard = (answer: TokenResult): Used => {
    const late = options.comesLate?.().then((comes) => (comes ? answer : undefined)) ?? Promise.resolve(undefined)
    return { answer: UNAVAILABLE, late: options.hangs?.() ? late : undefined }
  }
  const heard = (answer: TokenResult): Used => ({ answer, late: undefined })

  const refresh = async (token: string): Promise<Used> => {
    await options.delay('before')
    if (options.isOut?.()) {
      presentations.push({ token, outcome: 'out' })
      return heard(UNAVAILABLE)
    }
    if (superseded.has(token)) dead = true
    if (dead || token !== current) {
      presentations.push({ token, outcome: 'refused' })
      await options.delay('after')
      return heard({ ...UNAVAILABLE, reason: 'invalid_grant' })
    }
    const answer = grant()
    const lost = options.loses?.() ?? false
    presentations.push({ token, outcome: lost ? 'lost' : 'granted' })
    await options.delay('after')
    return lost ? unheard(answer) : heard(answer)
  }

  return { refresh, presentations, current: () => current, isDead: () => dead }
}
