import { startService } from '../support/worker-harness.ts'
import { type Answer, connectCompany } from './company.ts'
import { sleep } from './scale.ts'

const LOOK_EVERY_MS = 50
/** On a busy machine the refresh may end before the outage. After this time another request finds the parked token pair. */
const ASKED_AGAIN_AFTER_MS = 15_000
const HOME_WITHIN_MS = 90_000

export interface OutageOutcome {
  /** The response to the caller whose refresh rotated the token. */
  refreshed: Answer
  /** The response to another caller during the outage. */
  other: Answer
  /** The generation of the record after both responses. */
  generationThen: number
  /** The generation after the outage. */
  generation: number
  isLivingTokenStored: boolean
  isParkedCopyGone: boolean
  callsToIntuit: number
}

/** Starts an outage of the table when a refresh reaches Intuit, and ends it after `outageMs`. */
export const runTableOutage = async (outageMs: number, vars: Record<string, string> = {}): Promise<OutageOutcome> => {
  const service = await startService({ vars })
  try {
    await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
    const company = await connectCompany(service, 'beach-blend', '1000')
    const { refreshTokenHash: usedTokenHash } = await company.record()
    await company.expire()
    const asked = service.tokenEndpoint.fault({ kind: 'delay', ms: 0, times: 1 }).strikes
    const over = asked.then(async () => {
      service.dynamo.fault({ kind: 'error', status: 500, type: 'InternalServerError' })
      await sleep(outageMs)
    })
    const refreshed = await company.read(0)
    const other = await company.read(0)
    const { generation: generationThen } = await company.record()
    await over
    service.dynamo.heal()
    const isParked = async () => (await service.findParked(company.key, usedTokenHash)) !== undefined
    const isHome = async () => (await company.record()).generation > generationThen && !(await isParked())
    for (const from = performance.now(); !(await isHome()) && performance.now() - from < HOME_WITHIN_MS; ) {
      await sleep(LOOK_EVERY_MS)
      if (performance.now() - from > ASKED_AGAIN_AFTER_MS) await company.read(0)
    }
    const [record, grant] = [await company.record(), await company.atIntuit()]
    return {
      ...{ refreshed, other, generationThen, generation: record.generation },
      isLivingTokenStored: grant.alive && grant.refreshTokenHash === record.refreshTokenHash,
      isParkedCopyGone: !(await isParked()),
      callsToIntuit: (await service.intuit.state()).counts.refresh,
    }
  } finally {
    await service.close()
  }
}

/** The outcome that the broker guarantees. */
export const BORNE = {
  refreshed: { status: 200 },
  other: { status: 503, code: 'storage_unavailable' },
  ...{ generationThen: 1, generation: 2, isLivingTokenStored: true, isParkedCopyGone: true, callsToIntuit: 1 },
}
