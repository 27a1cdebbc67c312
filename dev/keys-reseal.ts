import { readConfig } from '../src/config.ts'
import { Problem } from '../src/problem.ts'
import { tableAccess } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { type ResealTally, reseal } from './reseal.ts'

const HELP = `
npm run keys:reseal [-- --dry-run]: seals every stored token with the first of TOKEN_ENCRYPTION_KEYS.

To change the key: put the new one at the end of TOKEN_ENCRYPTION_KEYS, so that every Worker knows it; minutes later in
front; then run this, and again until it finds nothing to do; then take the old key away (docs/deploy.md). The Worker
goes on meanwhile.

Reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (optional), DYNAMODB_TABLE,
DYNAMODB_ENDPOINT (optional) and TOKEN_ENCRYPTION_KEYS from the environment. It scans the table, which the Worker's own
key may not do.

  --dry-run  writes nothing, and says what there is to do

Ends with 0 if every token is sealed by the first key, or could be; with 1 if any is unreadable, was in use all the
while or had its refresh cut short, or the table could not be reached.
`

const summary = ({ resealed, inOrder, busy, unreadable, cutShort }: ResealTally, dryRun: boolean) =>
  `${resealed} ${dryRun ? 'to be sealed anew' : 'sealed anew'}, ${inOrder} in order, ${busy} in use, ${unreadable} unreadable; ${cutShort} cut short`

const run = async () => {
  const { 'dry-run': dryRun = false } = takeOptions(HELP, { 'dry-run': { type: 'boolean' } })
  const { client, table } = tableAccess(process.env)
  const keys = readConfig(process.env).sealing()
  if (keys.length === 0) fail('Set TOKEN_ENCRYPTION_KEYS in the environment.')
  const tally = await reseal({
    client,
    table,
    keys,
    dryRun,
    now: () => Date.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    onProgress: (soFar) => process.stdout.write(`So far: ${summary(soFar, dryRun)}.\n`),
    onUnreadable: (companyKey, name, reason) => process.stderr.write(`${companyKey} ${name}: ${reason}\n`),
    onCutShort: (companyKey) =>
      process.stderr.write(
        `${companyKey}: a refresh was cut short. Read its token, so that what is parked is stored.\n`,
      ),
  })
  process.stdout.write(`Done: ${summary(tally, dryRun)}.\n`)
  process.exitCode = tally.busy + tally.unreadable + tally.cutShort > 0 ? 1 : 0
}

run().catch((error: unknown) => {
  if (error instanceof Problem) fail(error.message)
  fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The tokens could not be sealed anew.')
})
