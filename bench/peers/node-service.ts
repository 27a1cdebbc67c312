import { createServer } from 'node:http'
import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import express from 'express'
import OAuthClient from 'intuit-oauth'
import { LOOPBACK, listen } from '../../dev/listen.ts'
import { serveParent } from '../child.ts'
import { type Item, tokenAnswer } from './answer.ts'

// What many would run: Express, Intuit's own client, Amazon's own client, each as its documentation shows it.

const env = (name: string) => process.env[name] ?? ''
const table = env('DYNAMODB_TABLE')
const dynamo = new DynamoDBClient({
  region: env('AWS_REGION'),
  endpoint: env('DYNAMODB_ENDPOINT'),
  credentials: { accessKeyId: env('AWS_ACCESS_KEY_ID'), secretAccessKey: env('AWS_SECRET_ACCESS_KEY') },
})
const oauthClient = new OAuthClient({
  clientId: env('QUICKBOOKS_CLIENT_ID'),
  clientSecret: env('QUICKBOOKS_CLIENT_SECRET'),
  environment: 'production',
  redirectUri: env('QUICKBOOKS_REDIRECT_URI'),
})

const seconds = (item: Item, name: string) => Number(item[name]?.N)

/** One client for all companies, as its constructor costs more than a request: the token is set for each. */
const isValid = (item: Item) => {
  const lastRefreshAt = seconds(item, 'last_refresh_at')
  oauthClient.setToken({
    access_token: item['access_token']?.S ?? '',
    refresh_token: item['refresh_token']?.S ?? '',
    expires_in: seconds(item, 'access_token_expires_at') - lastRefreshAt,
    x_refresh_token_expires_in: seconds(item, 'refresh_token_expires_at') - lastRefreshAt,
    createdAt: lastRefreshAt * 1000,
  })
  return oauthClient.isAccessTokenValid()
}

const refresh = async (pk: string, item: Item): Promise<Item> => {
  const answer = await oauthClient.refreshUsingToken(item['refresh_token']?.S ?? '')
  const token = answer.getToken()
  const now = Math.floor(Date.now() / 1000)
  const values = {
    ':access': { S: token.access_token ?? '' },
    ':accessExpiry': { N: String(now + Number(token.expires_in)) },
    ':refresh': { S: token.refresh_token ?? '' },
    ':refreshExpiry': { N: String(now + Number(token.x_refresh_token_expires_in)) },
    ':now': { N: String(now) },
  }
  const { Attributes } = await dynamo.send(
    new UpdateItemCommand({
      TableName: table,
      Key: { pk: { S: pk } },
      UpdateExpression:
        'SET access_token = :access, access_token_expires_at = :accessExpiry, refresh_token = :refresh, ' +
        'refresh_token_expires_at = :refreshExpiry, last_refresh_at = :now, updated_at = :now',
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    }),
  )
  return Attributes ?? item
}

const app = express()

app.get('/health', (_, response) => {
  response.json({ status: 'ok' })
})

app.get('/api/token/:company_key', async (request, response) => {
  if (request.get('X-API-Key') !== env('API_KEY')) {
    response.status(401).json({ error: 'invalid_api_key' })
    return
  }
  const pk = `connection#${request.params.company_key}`
  const { Item } = await dynamo.send(
    new GetItemCommand({ TableName: table, Key: { pk: { S: pk } }, ConsistentRead: true }),
  )
  if (!Item) {
    response.status(404).json({ error: 'not_found' })
    return
  }
  response.json(tokenAnswer(isValid(Item) ? Item : await refresh(pk, Item)))
})

serveParent({ url: `http://${LOOPBACK}:${await listen(createServer(app))}` })
