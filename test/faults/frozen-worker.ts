import { type Running, startWorkerd } from '../../bench/workerd.ts'
import { bundleWorker } from '../../dev/bundle.ts'
import { type Service, startService } from '../support/worker-harness.ts'
import { connectCompany } from './company.ts'
import { history } from './history.ts'
import { scaledVars } from './scale.ts'

/** The index of the running Worker, and of the one that can be frozen. */
export const AWAKE = 0
export const FROZEN = 1

/**
 * Two Workers over one table and one Intuit. Signals stop and continue the workerd process of one of them. Intuit rotates
 * at every refresh and ends the grant when a superseded token is used again.
 */
export const startFreezable = async () => {
  const service = await startService({ vars: scaledVars })
  await service.intuit.turn({ rotateAfterSeconds: 0, reuseKills: true })
  const worker: Running = await startWorkerd({ script: await bundleWorker(), vars: service.vars, output: 'ignore' })
  const both: Service = { ...service, urls: () => [...service.urls(), worker.url] }
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => process.kill(worker.pid, name)
  let companies = 0
  return {
    service: both,
    past: history(service),
    /** A company whose access token has expired. */
    expired: async () => {
      companies++
      const company = await connectCompany(both, `company-${companies}`, String(1_000 + companies))
      const { refreshTokenHash } = await company.record()
      await company.expire()
      return { company, refreshTokenHash }
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    /** Closes the connections of both Workers. */
    cut: () => {
      service.dynamo.cut()
      service.tokenEndpoint.cut()
    },
    close: async () => {
      signal('SIGCONT')
      await worker.close()
      await service.close()
    },
  }
}

export type Freezable = Awaited<ReturnType<typeof startFreezable>>
