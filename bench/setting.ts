import * as v from 'valibot'
import { startIntuit } from '../dev/intuit/server.ts'
import { startChild } from './child.ts'
import { newApp, REDIRECT_URI, type ServiceVars, serviceVars } from './environment.ts'
import { type Load, startLoad } from './load-order.ts'
import { type Bundles, type Programs, startPrograms } from './programs.ts'
import { makeRecords, OWN_KEY, PLAIN_KEY } from './records.ts'
import { type Item, openTable, type Table } from './table.ts'

/** Everything that measurements run on: one engine, one load, and all programs with the same record. */
export interface Setting {
  vars: ServiceVars
  table: Table
  load: Load
  programs: Programs
  plain: Item
  close(): Promise<void>
}

const LISTENS = v.object({ url: v.string() })

/** The length and the fields of a program's answer: they must be the same from each. */
const shapeOf = async (url: string, apiKey: string) => {
  const answer = await fetch(url, { headers: { 'X-API-Key': apiKey } })
  const text = await answer.text()
  return `${answer.status}, ${text.length} characters: ${Object.keys(JSON.parse(text)).join(' ')}`
}

const requireSameAnswers = async ({ uncached, floor, sdk, node }: Programs, apiKey: string) => {
  const ours = await shapeOf(`${uncached.url}/api/token/${OWN_KEY}`, apiKey)
  for (const [name, { url }] of Object.entries({ floor, sdk, node })) {
    const theirs = await shapeOf(`${url}/api/token/${PLAIN_KEY}`, apiKey)
    if (theirs !== ours) throw new Error(`The answers differ. ${name}: ${theirs}. This service: ${ours}.`)
  }
}

/** Starts all of it, and makes sure that every program gives the same answer. */
export const startSetting = async (scripts: Bundles): Promise<Setting> => {
  const engine = await startChild('./engine.ts')
  const { url } = v.parse(LISTENS, engine.first)
  const app = newApp()
  const intuit = await startIntuit({ apps: [{ environment: 'production', ...app, redirectUris: [REDIRECT_URI] }] })
  const vars = serviceVars(url, intuit, app)
  const table = await openTable(url)
  const load = await startLoad()
  const programs = await startPrograms(scripts, vars)
  const plain = await makeRecords(programs.uncached.url, vars.API_KEY, table)
  await requireSameAnswers(programs, vars.API_KEY)
  const close = async () => {
    await Promise.all(Object.values(programs).map((program) => program.close()))
    await Promise.all([load.close(), intuit.close()])
    table.close()
    await engine.close()
  }
  return { vars, table, load, programs, plain, close }
}
