import { openTable } from './admin-client.ts'
import { fail, takeNoArguments } from './arguments.ts'
import { createTable } from './table.ts'

const HELP = `
npm run table:create: creates the table with its index, or completes an existing table.

Reads AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (optional),
DYNAMODB_TABLE and DYNAMODB_ENDPOINT (optional) from the environment. May be repeated.
`

const TTL_TEXTS = {
  set: 'Turned on expiry by expires_at.',
  'already set': 'Expiry by expires_at is on.',
  unsupported: 'This engine has no TTL. The Worker checks expiry on every read.',
}
const INDEX_TEXTS = {
  ready: 'The index fleet is ready.',
  building: 'DynamoDB is building the index fleet. npm run doctor shows when it is ready.',
  unsupported: 'This engine cannot add the index to an existing table, so its connections cannot be listed.',
}

const run = async () => {
  takeNoArguments(HELP)
  const { client, table } = openTable(process.env)
  const { created, ttl, index } = await createTable(client, table)
  process.stdout.write(`${created ? 'Created' : 'Found'} the table ${table}. ${TTL_TEXTS[ttl]} ${INDEX_TEXTS[index]}\n`)
}

run().catch((error: unknown) =>
  fail(error instanceof Error ? `${error.name}: ${error.message}` : 'The table could not be created.'),
)
