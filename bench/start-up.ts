import { setTimeout as wait } from 'node:timers/promises'
import { cpuTimeMs } from './cpu-time.ts'
import { type Bundles, TOKEN_PATHS } from './programs.ts'
import { startWorkerd } from './workerd.ts'

/** A process with many isolates, less one with a single isolate, leaves the isolates without their process. */
const ISOLATES = 17
/** Longer than V8 works on other threads after a load. Milliseconds. */
const SETTLED_MS = 300

interface Start {
  script: string
  vars: Record<string, string>
  /** The first request of each isolate. Without it, the isolates only load. */
  path: string | undefined
}

/** CPU time in ms of a process whose isolates have loaded and answered their first request. */
const measureProcess = async ({ script, vars, path }: Start, isolates: number) => {
  const running = await startWorkerd({ script, vars, isolates })
  await wait(SETTLED_MS)
  for (const url of path === undefined ? [] : running.urls) {
    const response = await fetch(`${url}${path}`, { headers: { 'X-API-Key': vars['API_KEY'] ?? '' } })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${path} responded with ${response.status}.`)
  }
  const totalMs = cpuTimeMs(running.pid)
  await running.close()
  return totalMs
}

const measureIsolate = async (start: Start) => {
  const one = await measureProcess(start, 1)
  const many = await measureProcess(start, ISOLATES)
  return (many - one) / (ISOLATES - 1)
}

/** CPU time of one isolate in ms, one value per round: to load, and to load and return its first token. */
export interface StartUp {
  load: number[]
  firstToken: number[]
}

/** Starts isolates of each bundle in turn. */
export const measureStartUp = async (
  bundles: Bundles,
  vars: Record<string, string>,
  rounds: number,
): Promise<Record<string, StartUp>> => {
  const figures: Record<string, StartUp> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, path] of Object.entries(TOKEN_PATHS)) {
      const script = Object.entries(bundles).find(([bundle]) => bundle === name)?.[1]
      if (script === undefined) continue
      figures[name] ??= { load: [], firstToken: [] }
      figures[name].load.push(await measureIsolate({ script, vars, path: undefined }))
      figures[name].firstToken.push(await measureIsolate({ script, vars, path }))
    }
  }
  return figures
}
