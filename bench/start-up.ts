import { setTimeout as wait } from 'node:timers/promises'
import { cpuTimeMs } from './cpu-time.ts'
import { ratio, type Spread, spread } from './statistics.ts'
import { startWorkerd } from './workerd.ts'

/** One workerd with many isolates against one with one: the difference is the isolates', and not the process's. */
const ISOLATES = 17
const RUNS = 9
/** Longer than what V8 does on other threads after a load. Milliseconds. */
const SETTLED_MS = 300

/** What the first request of an isolate asks for; `undefined`: there is none. */
type FirstPath = string | undefined

/** CPU time in ms until each isolate is loaded, and has answered its first request if there is one. */
const untilThere = async (script: string, vars: Record<string, string>, isolates: number, path: FirstPath) => {
  const running = await startWorkerd({ script, vars, isolates })
  await wait(SETTLED_MS)
  for (const url of path === undefined ? [] : running.urls) {
    const answer = await fetch(`${url}${path}`, { headers: { 'X-API-Key': vars['API_KEY'] ?? '' } })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}.`)
  }
  const spent = cpuTimeMs(running.pid)
  await running.close()
  return spent
}

const isolateMs = async (script: string, vars: Record<string, string>, path: FirstPath) => {
  const one = await untilThere(script, vars, 1, path)
  const many = await untilThere(script, vars, ISOLATES, path)
  return (many - one) / (ISOLATES - 1)
}

export interface StartUp {
  /** CPU time of an isolate, in ms. */
  service: Spread
  floor: Spread
  ratio: Spread
}

/** The start of this service's isolate and of the floor's, in turn. */
export const measureStartUp = async (
  scripts: { service: string; floor: string },
  vars: Record<string, string>,
  path: { service: FirstPath; floor: FirstPath },
): Promise<StartUp> => {
  const service: number[] = []
  const floor: number[] = []
  for (let run = 0; run < RUNS; run++) {
    floor.push(await isolateMs(scripts.floor, vars, path.floor))
    service.push(await isolateMs(scripts.service, vars, path.service))
  }
  return { service: spread(service), floor: spread(floor), ratio: ratio(service, floor) }
}
