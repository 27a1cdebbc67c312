import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { Hono } from 'hono'
import { toTokenResponse } from './answer.ts'

// A Worker with the AWS SDK as its documentation shows it: it checks the API key and reads once.

type Env = {
  API_KEY: string
  AWS_REGION: string
  AWS_ACCESS_KEY_ID: string
  AWS_SECRET_ACCESS_KEY: string
  DYNAMODB_TABLE: string
  DYNAMODB_ENDPOINT: string
}

let client: DynamoDBClient | undefined
const getClient = (env: Env) => {
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
  const { Item } = await getClient(c.env).send(
    new GetItemCommand({
      TableName: c.env.DYNAMODB_TABLE,
      Key: { pk: { S: `connection#${c.req.param('company_key')}` } },
      ConsistentRead: true,
    }),
  )
  return Item ? c.json(toTokenResponse(Item)) : c.json({ error: 'not_found' }, 404)
})

export default app
