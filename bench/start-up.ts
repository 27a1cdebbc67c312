import { cpuTimeMs } from './cpu-time.ts'
import type { Bundles } from './programs.ts'
import { ratio, type Spread, spread } from './statistics.ts'
import { startWorkerd } from './workerd.ts'

/** One workerd with many isolates against one with one: the difference is the isolates', and not the process's. */
const ISOLATES = 17
const RUNS = 7

/** CPU time in ms until each isolate has answered its first request. */
const untilAnswered = async (script: string, vars: Record<string, string>, isolates: number, path: string) => {
  const running = await startWorkerd({ script, vars, isolates })
  for (const url of running.urls) {
    const answer = await fetch(`${url}${path}`, { headers: { 'X-API-Key': vars['API_KEY'] ?? '' } })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}.`)
  }
  const spent = cpuTimeMs(running.pid)
  await running.close()
  return spent
}

const isolateMs = async (script: string, vars: Record<string, string>, path: string) => {
  const one = await untilAnswered(script, vars, 1, path)
  const many = await untilAnswered(script, vars, ISOLATES, path)
  return (many - one) / (ISOLATES - 1)
}

export interface StartUp {
  /** CPU time of an isolate from its load to its first answer, in ms. */
  service: Spread
  floor: Spread
  ratio: Spread
}

/** The start of this service's isolate and of the floor's, in turn. `path` is what the first request asks for. */
export const measureStartUp = async (
  scripts: Pick<Bundles, 'service' | 'floor'>,
  vars: Record<string, string>,
  path: { service: string; floor: string },
): Promise<StartUp> => {
  const service: number[] = []
  const floor: number[] = []
  for (let run = 0; run < RUNS; run++) {
    floor.push(await isolateMs(scripts.floor, vars, path.floor))
    service.push(await isolateMs(scripts.service, vars, path.service))
  }
  return { service: spread(service), floor: spread(floor), ratio: ratio(service, floor) }
}
