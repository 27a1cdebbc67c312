import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { bundleWorker } from '../dev/bundle.ts'
import { startChild } from './child.ts'
import type { ServiceVars } from './environment.ts'
import { type Running, startWorkerd } from './workerd.ts'

const peer = (name: string) => fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url))

/** The Workers as they would be uploaded. */
export const bundles = async () => ({
  service: await bundleWorker(),
  floor: await bundleWorker(peer('floor')),
  floorLogging: await bundleWorker(peer('floor-logging')),
  sdk: await bundleWorker(peer('sdk-worker')),
})
export type Bundles = Awaited<ReturnType<typeof bundles>>

const LISTENS = v.object({ url: v.string() })

const startNodeService = async (vars: ServiceVars): Promise<Running> => {
  const child = await startChild('./peers/node-service.ts', { ...vars, NODE_ENV: 'production' })
  return { pid: child.pid, url: v.parse(LISTENS, child.first).url, close: child.close }
}

/** One of this service for each thing that is asked of it, so that none pays for what another left behind. */
export interface Programs {
  floor: Running
  uncached: Running
  cached: Running
  health: Running
  start: Running
  sdk: Running
  node: Running
}

/** All programs, each in a process of its own, over one engine. */
export const startPrograms = async (scripts: Bundles, vars: ServiceVars): Promise<Programs> => {
  const service = () => startWorkerd({ script: scripts.service, vars })
  return {
    floor: await startWorkerd({ script: scripts.floor, vars }),
    uncached: await service(),
    cached: await service(),
    health: await service(),
    start: await service(),
    sdk: await startWorkerd({ script: scripts.sdk, vars }),
    node: await startNodeService(vars),
  }
}
