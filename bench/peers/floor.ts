import { AwsClient } from 'aws4fetch'
import { Hono } from 'hono'
import { type Item, toTokenResponse } from './answer.ts'

// The minimal Worker with the same response: one signed read, without an API key and without decryption.

type Env = {
  AWS_REGION: string
  AWS_ACCESS_KEY_ID: string
  AWS_SECRET_ACCESS_KEY: string
  DYNAMODB_TABLE: string
  DYNAMODB_ENDPOINT: string
}

let client: AwsClient | undefined
const getClient = (env: Env) => {
  client ??= new AwsClient({
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    region: env.AWS_REGION,
    service: 'dynamodb',
  })
  return client
}

const app = new Hono<{ Bindings: Env }>()

app.get('/health', (c) => c.json({ status: 'ok' }))

app.get('/api/token/:company_key', async (c) => {
  const response = await getClient(c.env).fetch(c.env.DYNAMODB_ENDPOINT, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.GetItem' },
    body: JSON.stringify({
      TableName: c.env.DYNAMODB_TABLE,
      Key: { pk: { S: `connection#${c.req.param('company_key')}` } },
      ConsistentRead: true,
    }),
  })
  const { Item }: { Item: Item } = await response.json()
  return c.json(toTokenResponse(Item))
})

export default app
