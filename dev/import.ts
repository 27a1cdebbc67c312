import { readConfig } from '../src/config/config.ts'
import { createTokenVault } from '../src/crypto/token-vault.ts'
import { lazy } from '../src/lib/lazy.ts'
import { adminClient, tableAccess } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { readEnvironment, type Variables } from './environment.ts'
import { fileCheckpoint, noCheckpoint } from './import/checkpoint.ts'
import { fileSource } from './import/from-file.ts'
import { tableSource } from './import/from-table.ts'
import { importRecords } from './import/import.ts'
import { type Tally, tallyText } from './import/tally.ts'
import { dryTarget, writingTarget } from './import/target.ts'

const HELP = `
npm run import: takes the connections of an earlier table over.

  npm run import -- --from-file records.jsonl            says what would be done
  npm run import -- --from-file records.jsonl --apply    does it

  --from-file FILE     what "aws dynamodb scan" prints, page after page, or JSON lines (an export to S3, unpacked);
                       records in DynamoDB's JSON or in plain JSON; UTF-8
  --from-table TABLE   a table of before, read page by page
  --from-region NAME   its region, if another
  --from-profile NAME  a profile of ~/.aws for it, if another account's
  --profile NAME       a profile of ~/.aws for the table of this service, instead of its own key
  --vars FILE          where AWS_*, DYNAMODB_* and TOKEN_ENCRYPTION_KEYS are read (default: .dev.vars where there is one)
  --env                read them from the process environment
  --checkpoint FILE    how far it has come (default: .import-checkpoint.json)
  --apply              write

--from-table may name the table of this service itself: records written by hand get what they lack. Tokens are sealed by
the first of TOKEN_ENCRYPTION_KEYS. Never overwrites a connection: what is stored under a key already is kept unless it
was never connected. May be repeated, and goes on where it was when it is killed.
Exit code: 0, 2 where records were refused, 1 where it failed.
`
const OPTIONS = {
  'from-file': { type: 'string' },
  'from-table': { type: 'string' },
  'from-region': { type: 'string' },
  'from-profile': { type: 'string' },
  profile: { type: 'string' },
  vars: { type: 'string' },
  env: { type: 'boolean' },
  checkpoint: { type: 'string', default: '.import-checkpoint.json' },
  apply: { type: 'boolean', default: false },
} as const

type Options = ReturnType<typeof takeOptions<typeof OPTIONS>>

const sourceOf = (options: Options, variables: Variables) => {
  const { 'from-file': file, 'from-table': table, 'from-region': region, 'from-profile': profile } = options
  if ((file === undefined) === (table === undefined)) fail('Name one of --from-file and --from-table. See --help.')
  const warn = (text: string) => process.stderr.write(`${text}\n`)
  if (file !== undefined) return fileSource(file, warn)
  const at = { ...variables, ...(region ? { AWS_REGION: region } : {}) }
  return tableSource(adminClient(at, profile ?? options.profile), table ?? '', at.AWS_REGION ?? '')
}

const warnUnencrypted = lazy(() =>
  process.stderr.write('TOKEN_ENCRYPTION_KEYS is not set: tokens are stored as they are.\n'),
)

const progress = (applied: boolean) => (tally: Tally) => process.stderr.write(`${tallyText(tally, applied)}\n`)

let hasBegun = false

const run = async () => {
  const options = takeOptions(HELP, OPTIONS)
  const { apply, checkpoint: path, profile } = options
  const { variables } = readEnvironment(options.vars, options.env ?? false)
  const { client, table } = tableAccess(variables, profile)
  const region = variables['AWS_REGION'] ?? ''
  const vault = createTokenVault(readConfig(variables).encryptionKeys, warnUnencrypted)
  const source = sourceOf(options, variables)
  const target = (apply ? writingTarget : dryTarget)({ client, table, region, digest: vault.digest })
  const tally = await importRecords({
    source,
    target,
    checkpoint: apply ? fileCheckpoint(path, source.name, target.name) : noCheckpoint,
    vault,
    now: () => Math.floor(Date.now() / 1000),
    onLeft: (text) => process.stderr.write(`${text}\n`),
    onProgress: (soFar) => {
      hasBegun = true
      progress(apply)(soFar)
    },
  })
  process.stdout.write(`${tallyText(tally, apply)}.${apply ? '' : ' Nothing was written; repeat with --apply.'}\n`)
  if (tally.refused > 0) process.exitCode = 2
}

/** An error of our own has no name that helps; one of DynamoDB's has. */
const errorText = (error: unknown) => {
  if (!(error instanceof Error)) return 'The import failed.'
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`
}

run().catch((error: unknown) =>
  fail(`${errorText(error)}${hasBegun ? '\nWhat was done is kept; run it again to go on.' : ''}`),
)
