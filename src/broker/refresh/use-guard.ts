import type { EpochMs } from '../connection.ts'
import type { UseGuard } from '../ports/intuit.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { ConnectionStore } from '../ports/storage.ts'
import { mayRedeem, mayUseAgain, nowSeconds, type Timing } from '../timing.ts'

interface UseGuardDeps {
  connections: Pick<ConnectionStore, 'read'>
  runtime: Pick<Runtime, 'now'>
  timing(): Timing
}

/** The lease for the use of a token, and the generation of the token. */
interface Use {
  companyKey: string
  owner: string
  until: EpochMs
  generation: number
  /** When the request started. Its deadline counts from here. */
  startedAt: EpochMs
}

/**
 * Checks deadline and lease before each use of a refresh token. Between two checks the Worker may have been frozen, its
 * lease taken over, and its connection broken.
 */
export function createUseGuard(
  { connections, runtime, timing }: UseGuardDeps,
  { companyKey, owner, until, generation, startedAt }: Use,
): UseGuard & {
  /** Whether a use was refused. Then no request with the token is in flight. */
  wasRefused(): boolean
} {
  let usedAt: EpochMs | undefined
  let isRefused = false

  const isAllowed = (now: EpochMs) =>
    usedAt === undefined ? mayRedeem(timing(), now, startedAt, until) : mayUseAgain(timing(), now, usedAt, until)

  return {
    mayUse() {
      const now = runtime.now()
      isRefused ||= !isAllowed(now)
      usedAt ??= now
      return !isRefused
    },

    async isStillHeld() {
      const now = nowSeconds(runtime)
      const current = await connections.read(companyKey, now).catch(() => undefined)
      const isHeld = current?.lease?.owner === owner && current.generation === generation
      isRefused ||= !isHeld
      return isHeld
    },

    wasRefused: () => isRefused,
  }
}
