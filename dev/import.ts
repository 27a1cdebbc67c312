import { readConfig } from '../src/config/config.ts'
import { createTokenVault } from '../src/crypto/token-vault.ts'
import { lazy } from '../src/lib/lazy.ts'
import { createAdminClient, openTable } from './admin-client.ts'
import { fail, takeOptions } from './arguments.ts'
import { readEnvironment, type Variables } from './environment.ts'
import { createFileCheckpoint, noCheckpoint } from './import/checkpoint.ts'
import { createFileSource } from './import/from-file.ts'
import { createTableSource } from './import/from-table.ts'
import { importRecords } from './import/import.ts'
import { formatTally, type Tally } from './import/tally.ts'
import { createDryTarget, createWritingTarget } from './import/target.ts'

const HELP = `
npm run import: copies the connections of an existing table.

  npm run import -- --from-file records.jsonl            dry run
  npm run import -- --from-file records.jsonl --apply    writes

  --from-file FILE     the output of "aws dynamodb scan", one or several pages, or JSON lines (an unpacked export to S3);
                       records in DynamoDB's JSON or in plain JSON; UTF-8
  --from-table TABLE   an existing table
  --from-region NAME   the region of that table, if it is another one
  --from-profile NAME  a profile of ~/.aws for that table, if it is in another account
  --profile NAME       a profile of ~/.aws for this service's table, instead of the Worker's key
  --vars FILE          the file with AWS_*, DYNAMODB_* and TOKEN_ENCRYPTION_KEYS (default: .dev.vars if it exists)
  --env                reads these variables from the process environment
  --checkpoint FILE    the file that stores the progress (default: .import-checkpoint.json)
  --apply              writes

--from-table may name this service's own table: the import then completes records that were written by hand. It encrypts
tokens with the first of TOKEN_ENCRYPTION_KEYS. It never overwrites a connected or disconnected record, and keeps it as it
is. If the import is interrupted, run it again to continue.
Exit code: 0; 2 if records were rejected; 1 if the import failed.
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

const createSource = (options: Options, variables: Variables) => {
  const { 'from-file': file, 'from-table': table, 'from-region': region, 'from-profile': profile } = options
  if ((file === undefined) === (table === undefined)) fail('Name one of --from-file and --from-table. See --help.')
  const warn = (text: string) => process.stderr.write(`${text}\n`)
  if (file !== undefined) return createFileSource(file, warn)
  const sourceVariables = { ...variables, ...(region ? { AWS_REGION: region } : {}) }
  return createTableSource(
    createAdminClient(sourceVariables, profile ?? options.profile),
    table ?? '',
    sourceVariables.AWS_REGION ?? '',
  )
}

const warnUnencrypted = lazy(() =>
  process.stderr.write(
    'TOKEN_ENCRYPTION_KEYS is not set: tokens are stored in plain text. Leave REQUIRE_SEALED unset until npm run keys:reseal has encrypted them.\n',
  ),
)

const createProgress = (applied: boolean) => (tally: Tally) => process.stderr.write(`${formatTally(tally, applied)}\n`)

let hasStarted = false

const run = async () => {
  const options = takeOptions(HELP, OPTIONS)
  const { apply, checkpoint: path, profile } = options
  const { variables } = readEnvironment(options.vars, options.env ?? false)
  const { client, table } = openTable(variables, profile)
  const region = variables['AWS_REGION'] ?? ''
  const vault = createTokenVault(readConfig(variables).encryptionKeys, warnUnencrypted)
  const source = createSource(options, variables)
  const target = (apply ? createWritingTarget : createDryTarget)({ client, table, region, digest: vault.digest })
  const tally = await importRecords({
    source,
    target,
    checkpoint: apply ? createFileCheckpoint(path, source.name, target.name) : noCheckpoint,
    vault,
    now: () => Math.floor(Date.now() / 1000),
    onSkipped: (text) => process.stderr.write(`${text}\n`),
    onProgress: (soFar) => {
      hasStarted = true
      createProgress(apply)(soFar)
    },
  })
  process.stdout.write(`${formatTally(tally, apply)}.${apply ? '' : ' Nothing was written. Repeat with --apply.'}\n`)
  if (tally.refused > 0) process.exitCode = 2
}

/** The name of an error helps only if it comes from DynamoDB. */
const formatError = (error: unknown) => {
  if (!(error instanceof Error)) return 'The import failed.'
  return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`
}

run().catch((error: unknown) =>
  fail(`${formatError(error)}${hasStarted ? '\nImported records are stored. Run it again to continue.' : ''}`),
)
