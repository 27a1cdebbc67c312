import { tableAccess } from './admin-client.ts'
import { fail, takeNoArguments } from './arguments.ts'
import { createTable } from './table.ts'

const HELP = `
npm run table:create: makes the table with its index, or completes the one that is there.

Reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (optional),
DYNAMODB_TABLE and DYNAMODB_ENDPOINT (optional) from the environment. May be repeated.
`

const TTL_SAID = {
  set: 'Records expire by expires_at from now on.',
  'already set': 'Records expire by expires_at already.',
  unsupported: 'This engine has no TTL; the Worker judges expiry on every read.',
}
const INDEX_SAID = {
  ready: 'The index fleet is ready.',
  'being built': 'The index fleet is being built; npm run doctor tells when it is ready.',
  unsupported: 'This engine adds no index to a table that is there: connections cannot be listed from it.',
}

const run = async () => {
  takeNoArguments(HELP)
  const { client, table } = tableAccess(process.env)
  const { created, ttl, index } = await createTable(client, table)
  process.stdout.write(`${created ? 'Created' : 'Found'} the table ${table}. ${TTL_SAID[ttl]} ${INDEX_SAID[index]}\n`)
}

run().catch((error: unknown) =>
  fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The table could not be made.'),
)
