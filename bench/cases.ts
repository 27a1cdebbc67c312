import type { Programs } from './programs.ts'
import { OWN_KEY, PLAIN_KEY } from './records.ts'
import { type Case, type Figures, measureInRounds } from './rounds.ts'
import type { Setting } from './setting.ts'

/** What is measured side by side. */
export type CaseName = keyof Programs

const REQUESTS = 1_000
/** Of what costs a third of the others: what those leave behind in the same process weighs the less on it. */
const CHEAP_REQUESTS = 4_000
const ROUNDS = 31
const WARM_UP = 2_000
const CONCURRENCY = 8

const casesOf = ({ programs, vars }: Setting): Case<CaseName>[] => {
  const key = { 'X-API-Key': vars.API_KEY }
  const one = (name: CaseName, path: string, { status = 200, headers = {}, requests = REQUESTS } = {}) => ({
    name,
    pid: programs[name].pid,
    requests,
    order: {
      urls: [`${programs[name].url}${path}`],
      headers: { ...key, ...headers },
      concurrency: CONCURRENCY,
      status,
    },
  })
  return [
    one('floor', `/api/token/${PLAIN_KEY}`),
    one('uncached', `/api/token/${OWN_KEY}`, { headers: { 'Cache-Control': 'no-cache' } }),
    one('cached', `/api/token/${OWN_KEY}`, { requests: CHEAP_REQUESTS }),
    one('health', '/health', { requests: CHEAP_REQUESTS }),
    one('start', '/oauth/start/unfinished', { status: 302 }),
    one('sdk', `/api/token/${PLAIN_KEY}`),
    one('node', `/api/token/${PLAIN_KEY}`),
  ]
}

/** CPU time per request of every program, in interleaved rounds. */
export const measureCases = (setting: Setting): Promise<Figures<CaseName>> =>
  measureInRounds(setting.load, casesOf(setting), { rounds: ROUNDS, warmUp: WARM_UP })
