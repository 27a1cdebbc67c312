import type { EpochMs, EpochSeconds } from '../connection.ts'
import type { UseGuard } from '../ports/intuit.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { ConnectionStore } from '../ports/storage.ts'
import { mayRedeem, mayUseAgain, type Timing } from '../timing.ts'

interface UseGuardDeps {
  connections: Pick<ConnectionStore, 'read'>
  runtime: Pick<Runtime, 'now'>
  timing(): Timing
}

/** The lease under which a token is to be used, and the generation that the token is of. */
interface Use {
  companyKey: string
  owner: string
  until: EpochMs
  generation: number
  /** When the request began whose deadline counts. */
  startedAt: EpochMs
}

/**
 * Looks at deadline and lease before each use of one refresh token. Between two looks the Worker may have slept, been
 * taken over, and woken to a connection that broke meanwhile.
 */
export function createUseGuard(
  { connections, runtime, timing }: UseGuardDeps,
  { companyKey, owner, until, generation, startedAt }: Use,
): UseGuard & {
  /** Whether a use was refused: then no request that carries the token is under way. */
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
      const now: EpochSeconds = Math.floor(runtime.now() / 1000)
      const current = await connections.read(companyKey, now).catch(() => undefined)
      const isHeld = current?.lease?.owner === owner && current.generation === generation
      isRefused ||= !isHeld
      return isHeld
    },

    wasRefused: () => isRefused,
  }
}
