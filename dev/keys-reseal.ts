import { setTimeout } from 'node:timers/promises'
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { readConfig } from '../src/config/config.ts'
import { Problem } from '../src/problem.ts'
import { tableAccess } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { reseal } from './reseal.ts'
import { createProgress, summaryText } from './reseal-progress.ts'

const CONCURRENCY = 16
/** The client opens as many connections. */
const MOST_CONCURRENCY = 50

const HELP = `
npm run keys:reseal [-- --dry-run] [--concurrency 16]: encrypts every stored token with the first of
TOKEN_ENCRYPTION_KEYS.

To change the key: put the new one at the end of TOKEN_ENCRYPTION_KEYS, so that every Worker knows it; minutes later in
front; then run this, and again until it finds nothing to do; then take the old key away (docs/deploy.md). The Worker
goes on meanwhile.

Reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (optional), DYNAMODB_TABLE,
DYNAMODB_ENDPOINT (optional) and TOKEN_ENCRYPTION_KEYS from the environment. It scans the table, which the Worker's own
key may not do.

  --dry-run      writes nothing, and says what there is to do
  --concurrency  records at once, 1 to ${MOST_CONCURRENCY}. Fewer while the table throttles

Ctrl-C finishes the records in hand and stops; another run goes on with what is left.

Ends with 0 if every token is encrypted by the first key, or could be; with 1 if any is unreadable, failed, was in use
all the while or had its refresh cut short, or the table could not be reached; with 130 if it was stopped.
`
const STOPPED = 130

const concurrencyOf = (text: string) => {
  const concurrency = Number(text)
  const isGood = /^\d{1,2}$/.test(text) && concurrency >= 1 && concurrency <= MOST_CONCURRENCY
  return isGood ? concurrency : fail(`--concurrency must be 1 to ${MOST_CONCURRENCY}.`)
}

/** Items of the table, as DynamoDB counted them within the last six hours. Credentials may not be allowed to ask. */
const countItems = async (client: DynamoDBClient, table: string): Promise<number | undefined> => {
  const described = await client.send(new DescribeTableCommand({ TableName: table })).catch(() => undefined)
  // A young table says 0.
  return described?.Table?.ItemCount || undefined
}

/** Aborted by the first Ctrl-C or SIGTERM. The second one ends the command at once. */
const stopSignal = () => {
  const controller = new AbortController()
  const stop = () => {
    process.stderr.write('\nStopping when the records in hand are finished. Once more ends it at once.\n')
    controller.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop)
  return controller.signal
}

const run = async () => {
  const { 'dry-run': dryRun = false, concurrency = String(CONCURRENCY) } = takeOptions(HELP, {
    'dry-run': { type: 'boolean' },
    concurrency: { type: 'string' },
  })
  const atOnce = concurrencyOf(concurrency)
  const { client, table } = tableAccess(process.env)
  const keys = readConfig(process.env).encryptionKeys()
  if (keys.length === 0) fail('Set TOKEN_ENCRYPTION_KEYS in the environment.')
  const signal = stopSignal()
  const progress = createProgress(process.stdout, await countItems(client, table), () => Date.now())
  const warn = (line: string) => {
    progress.clear()
    process.stderr.write(`${line}\n`)
  }
  const tally = await reseal({
    ...{ client, table, keys, dryRun, signal, concurrency: atOnce },
    now: () => Date.now(),
    // A stop ends the pauses.
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }).catch(() => undefined),
    onProgress: progress.show,
    onUnreadable: (companyKey, name, reason) => warn(`${companyKey} ${name}: ${reason}`),
    onFailed: (companyKey, errorName) => warn(`${companyKey}: failed with ${errorName}`),
    onCutShort: (companyKey) =>
      warn(`${companyKey}: a refresh was cut short. Read its token, so that what is parked is stored.`),
  }).finally(progress.clear)
  process.stdout.write(`${signal.aborted ? 'Stopped' : 'Done'}: ${summaryText(tally, dryRun)}.\n`)
  if (signal.aborted) process.exitCode = STOPPED
  else process.exitCode = tally.busy + tally.unreadable + tally.failed + tally.cutShort > 0 ? 1 : 0
}

run().catch((error: unknown) => {
  if (error instanceof Problem) fail(error.message)
  fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The tokens could not be encrypted.')
})
