import { setTimeout } from 'node:timers/promises'
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { readConfig } from '../src/config/config.ts'
import { Problem } from '../src/problem.ts'
import { openTable } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { createProgress } from './reseal/progress.ts'
import { reencryptTable } from './reseal/reencrypt.ts'
import { formatAdvice, formatSummary, isComplete } from './reseal/tally.ts'

const CONCURRENCY = 16
/** The maximum number of connections of the AWS SDK's client. */
const MAX_CONCURRENCY = 50

const HELP = `
npm run keys:reseal [-- --dry-run] [--concurrency 16]: encrypts every stored token with the first of
TOKEN_ENCRYPTION_KEYS, while the Worker runs.

To change the key: add the new key at the end of TOKEN_ENCRYPTION_KEYS, so that every Worker can decrypt with it. Move it
to the front five minutes later. Run this command until it finds nothing to do. Then remove the old key. docs/deploy.md
has the details.

Reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (optional), DYNAMODB_TABLE,
DYNAMODB_ENDPOINT (optional) and TOKEN_ENCRYPTION_KEYS from the environment. It scans the table, which the Worker's own
key is not allowed to do.

  --dry-run      only reports what it would re-encrypt
  --concurrency  records at a time, 1 to ${MAX_CONCURRENCY}; fewer while the table throttles

At its end it says whether REQUIRE_SEALED=true can be set, which rejects plain tokens.

Ctrl-C completes the records in progress and stops. Run the command again to continue.

Exit code: 0 if every token is encrypted with the first key, or would be; 1 if a record is unreadable, failed, was in use
the whole time or had its refresh cut short, or if the table cannot be reached; 130 if the command was stopped.
`
const STOPPED = 130

const parseConcurrency = (text: string) => {
  const concurrency = Number(text)
  const isGood = /^\d{1,2}$/.test(text) && concurrency >= 1 && concurrency <= MAX_CONCURRENCY
  return isGood ? concurrency : fail(`--concurrency must be 1 to ${MAX_CONCURRENCY}.`)
}

/** The number of items, which DynamoDB updates every six hours. `undefined` if unknown, or without the permission. */
const countItems = async (client: DynamoDBClient, table: string): Promise<number | undefined> => {
  const described = await client.send(new DescribeTableCommand({ TableName: table })).catch(() => undefined)
  // A new table reports 0.
  return described?.Table?.ItemCount || undefined
}

/** The first Ctrl-C or SIGTERM aborts the signal. The second one ends the process at once. */
const createStopSignal = () => {
  const controller = new AbortController()
  const stop = () => {
    process.stderr.write('\nStopping after the records in progress. Press Ctrl-C again to stop at once.\n')
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
  const atOnce = parseConcurrency(concurrency)
  const { client, table } = openTable(process.env)
  const keys = readConfig(process.env).encryptionKeys()
  if (keys.length === 0) fail('Set TOKEN_ENCRYPTION_KEYS in the environment.')
  const signal = createStopSignal()
  const progress = createProgress(process.stdout, await countItems(client, table), () => Date.now())
  const warn = (line: string) => {
    progress.clear()
    process.stderr.write(`${line}\n`)
  }
  const tally = await reencryptTable({
    ...{ client, table, keys, dryRun, signal, concurrency: atOnce },
    now: () => Date.now(),
    // A stop also ends pauses.
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }).catch(() => undefined),
    onProgress: progress.show,
    onUnreadable: (companyKey, attribute, reason) => warn(`${companyKey} ${attribute}: ${reason}`),
    onFailed: (companyKey, errorName) => warn(`${companyKey}: failed with ${errorName}`),
    onCutShort: (companyKey) =>
      warn(`${companyKey}: a refresh was cut short. Request its token, so that a parked token pair is stored.`),
  }).finally(progress.clear)
  process.stdout.write(`${signal.aborted ? 'Stopped' : 'Done'}: ${formatSummary(tally, dryRun)}.\n`)
  if (signal.aborted) process.exitCode = STOPPED
  else {
    process.stdout.write(`${formatAdvice(tally, dryRun)}\n`)
    process.exitCode = isComplete(tally) ? 0 : 1
  }
}

run().catch((error: unknown) => {
  if (error instanceof Problem) fail(error.message)
  fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The tokens could not be encrypted.')
})
