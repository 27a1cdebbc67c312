import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { Hono } from 'hono'
import { tokenAnswer } from './answer.ts'

// The same job in a Worker, as Amazon's documentation shows its client: the API key, then one read.

type Env = {
  API_KEY: string
  AWS_REGION: string
  AWS_ACCESS_KEY_ID: string
  AWS_SECRET_ACCESS_KEY: string
  DYNAMODB_TABLE: string
  DYNAMODB_ENDPOINT: string
}

let client: DynamoDBClient | undefined
const clientFor = (env: Env) => {
  client ??= new DynamoDBClient({
    region: env.AWS_REGION,
    endpoint: env.DYNAMODB_ENDPOINT,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  })
  return client
}

const app = new Hono<{ Bindings: Env }>()

app.get('/health', (c) => c.json({ status: 'ok' }))

app.get('/api/token/:company_key', async (c) => {
  if (c.req.header('X-API-Key') !== c.env.API_KEY) return c.json({ error: 'invalid_api_key' }, 401)
  const { Item } = await clientFor(c.env).send(
    new GetItemCommand({
      TableName: c.env.DYNAMODB_TABLE,
      Key: { pk: { S: `connection#${c.req.param('company_key')}` } },
      ConsistentRead: true,
    }),
  )
  return Item ? c.json(tokenAnswer(Item)) : c.json({ error: 'not_found' }, 404)
})

export default app
