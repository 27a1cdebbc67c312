import { startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import { startWorker } from '../../dev/worker.ts'
import { testStorage } from '../support/engine.ts'
import { startEngineProxy } from '../support/engine-proxy.ts'
import { startService, tableAccess } from '../support/worker-harness.ts'
import { startReplication } from './replication.ts'

/** Round trips from a European caller in ms, a tenth of the real ones: what matters is that one is the longer. */
const HOME_MS = 9
const REPLICA_MS = 1
/** Of replication, at the most. */
const LAG_MS = 40

const startReplica = async () => {
  const engine = await startDynamoDb()
  const { table: name } = testStorage(engine.url)
  const table = tableAccess(engine.url, name)
  await createTable(table.client, name)
  const proxy = await startEngineProxy(engine.url)
  proxy.fault({ kind: 'delay', ms: REPLICA_MS })
  return { ...proxy, ...table, close: () => Promise.all([proxy.close(), engine.close()]) }
}

const EUROPE = { continent: 'EU', longitude: '8.68' }
const AMERICA = { continent: 'NA', longitude: '-77.45' }

/**
 * The whole service over a global table: home in us-east-1, with replicas in eu-west-1 and ap-southeast-1, each an engine
 * of its own behind a proxy that delays, and copies under way between them.
 */
export const startGlobalTable = async (vars: Record<string, string> = {}) => {
  const [europe, asia] = await Promise.all([startReplica(), startReplica()])
  const regions = { DYNAMODB_READ_REGIONS: `ap-southeast-1=${asia.url},eu-west-1=${europe.url}` }
  const service = await startService({ vars: { TOKEN_CACHE_SECONDS: '0', ...regions, ...vars } })
  const { dynamo } = service
  dynamo.fault({ kind: 'delay', ms: HOME_MS })
  const tables = { 'eu-west-1': europe, 'ap-southeast-1': asia }
  const replication = startReplication(dynamo, tables, () => Math.random() * LAG_MS)
  dynamo.whenAnswered(replication.answered)
  const running: { close(): Promise<unknown> }[] = []

  /** A Worker of its own isolate, where requests come in from `cf`. */
  const workerAt = async (cf: Record<string, string>) => {
    let output = ''
    const worker = await startWorker({ vars: service.vars, cf, rescue: 'none', onOutput: (text) => (output += text) })
    running.push(worker)
    const api = (path: string, init: RequestInit = {}) =>
      fetch(new URL(path, worker.url), { ...init, headers: { 'X-API-Key': service.apiKey, ...init.headers } })
    return { api, logs: () => output }
  }

  /** What each region was asked since, in the order of asking. */
  const watched = () => {
    const proxies = { primary: dynamo, europe, asia }
    const marks = { primary: dynamo.requests.length, europe: europe.requests.length, asia: asia.requests.length }
    const since = (region: keyof typeof proxies) =>
      proxies[region].requests.slice(marks[region]).map(({ operation }) => operation)
    return () => ({ primary: since('primary'), europe: since('europe'), asia: since('asia') })
  }

  return {
    service,
    europe,
    asia,
    replication,
    watched,
    inEurope: () => workerAt(EUROPE),
    inAmerica: () => workerAt(AMERICA),
    close: async () => {
      await Promise.all(running.map((worker) => worker.close()))
      await service.close()
      await Promise.all([europe.close(), asia.close()])
    },
  }
}

export type GlobalTable = Awaited<ReturnType<typeof startGlobalTable>>
