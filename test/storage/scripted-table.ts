import { createDynamoDb } from '../../src/storage/dynamodb.ts'
import type { DynamoDbFailed } from '../../src/storage/dynamodb-http.ts'
import { type ClockSkew, createTableClock } from '../../src/storage/table-clock.ts'
import { testStorage } from '../support/engine.ts'

export const TABLE_TIME = Date.parse('2026-09-21T10:00:00Z')

/** What the table answers a request with, at a time of its own. */
export type ScriptedAnswer = (request: Request, tableTime: number) => Response | Error

const timeout = () => new DOMException('timed out', 'TimeoutError')

export const answers = {
  ok: (): Response => Response.json({ Attributes: { a: { S: 'x' } } }),
  error:
    (type: string, { status = 400, message = 'no' } = {}): ScriptedAnswer =>
    (_, time) =>
      Response.json(
        { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message },
        { status, headers: { Date: new Date(time).toUTCString() } },
      ),
  timeout: (): Error => timeout(),
}

/**
 * Our client before a table whose answers come in turn, the last one for ever. Time passes only in pauses; the local
 * clock is `aheadMs` ahead of the table's.
 */
export const createScriptedTable = (script: ScriptedAnswer[], aheadMs = 0) => {
  let time = TABLE_TIME
  const sent: Request[] = []
  const events: (DynamoDbFailed | ClockSkew)[] = []
  const log = (event: DynamoDbFailed | ClockSkew) => void events.push(event)
  const now = () => time + aheadMs
  const table = createDynamoDb(() => testStorage('http://127.0.0.1:9'), {
    fetch: async (input, init) => {
      const request = new Request(input, init)
      sent.push(request)
      const answer = script[Math.min(sent.length, script.length) - 1]?.(request, time) ?? new Error('no answer')
      if (answer instanceof Error) throw answer
      return answer
    },
    ...{ now, log, random: () => 1, clock: createTableClock({ now, skewMs: () => 10_000, log }) },
    sleep: async (milliseconds) => {
      time += milliseconds
    },
  })
  return { table, sent, events }
}
