import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import * as v from 'valibot'
import { testStorage } from '../support/engine.ts'
import { sha256 } from '../support/fixtures.ts'
import type { Service } from '../support/worker-harness.ts'
import { sleep } from './scale.ts'

const nowSeconds = () => Math.floor(Date.now() / 1000)

const CONNECT_ATTEMPTS = 40
const CONNECT_PAUSE_MS = 500

const TOKEN = v.object({ access_token: v.string(), access_token_expires_at: v.number() })
const PROBLEM = v.object({ code: v.string() })

/** A response: the hash of a token, or the code of a problem. */
export type Answer =
  | { status: 200; accessTokenHash: string; expiresAt: number }
  | { status: number; code: string; retryAfter: string | null }

const readAnswer = async (response: Response): Promise<Answer> => {
  const { status } = response
  const body: unknown = await response.json()
  if (status !== 200) return { status, ...v.parse(PROBLEM, body), retryAfter: response.headers.get('Retry-After') }
  const token = v.parse(TOKEN, body)
  return { status, accessTokenHash: sha256(token.access_token), expiresAt: token.access_token_expires_at }
}

/** Connects a company. The result reads it through any Worker, in the table and at Intuit. */
export const connectCompany = async (service: Service, key: string, realmId: string) => {
  /** Retries, because a busy machine may exceed the timeout of the table. */
  const connect = async (attempts = CONNECT_ATTEMPTS): Promise<void> => {
    const answer = await service.connect(key, { realmId }).catch(() => undefined)
    if (answer?.status === 200) return
    if (attempts <= 1) {
      const said = answer ? `${answer.status} ${await answer.text()}` : 'no answer'
      throw new Error(`The company ${key} could not be connected: ${said}`)
    }
    await sleep(CONNECT_PAUSE_MS)
    return connect(attempts - 1)
  }
  await connect()

  /** Updates the record directly, to simulate the passage of time. */
  const alter = async (update: string, condition: string, values: Record<string, number>) => {
    const named = Object.entries(values).map(([name, value]) => [name, { N: String(value) }] as const)
    const command = new UpdateItemCommand({
      TableName: testStorage('').table,
      Key: { pk: { S: `connection#${key}` } },
      UpdateExpression: update,
      ConditionExpression: condition,
      ExpressionAttributeValues: Object.fromEntries(named),
    })
    await service.dynamo.client.send(command).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error
    })
  }

  const ask = async (worker: number, path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { 'X-API-Key': service.apiKey, 'Cache-Control': 'no-cache' }
    return readAnswer(await fetch(`${service.urls()[worker]}/api/token/${key}${path}`, { headers, ...init }))
  }

  return {
    key,
    realmId,
    connect: () => connect(),
    read: (worker: number, init?: RequestInit) => ask(worker, '', init),
    force: (worker: number) => ask(worker, '/refresh', { method: 'POST' }),
    expire: () =>
      alter('SET access_token_expires_at = :past', 'attribute_exists(access_token)', { ':past': nowSeconds() - 1 }),
    /** Sets the rest of the access token's lifetime, and makes it old enough for a refresh. */
    expiresIn: (seconds: number) =>
      alter('SET access_token_expires_at = :at, last_refresh_at = :before', 'attribute_exists(access_token)', {
        ...{ ':at': nowSeconds() + seconds, ':before': nowSeconds() - 600 },
      }),
    /** Ends the pause after a failed refresh. */
    passPause: () =>
      alter('SET failed_at = :past, retry_at = :past', 'attribute_exists(retry_at)', { ':past': nowSeconds() - 60 }),
    record: async () => {
      const item = (await service.dynamo.item(`connection#${key}`)) ?? {}
      return {
        refreshTokenHash: item['refresh_token_hash']?.S ?? '',
        generation: Number(item['generation']?.N),
        leaseUntil: Number(item['lease_until']?.N ?? 0),
        failureCode: item['failure_code']?.S,
      }
    },
    /** The newest grant at Intuit. */
    atIntuit: async () => {
      const { grants } = await service.intuit.state(realmId)
      const grant = grants.at(-1)
      if (!grant) throw new Error('Intuit knows no consent of this company.')
      return grant
    },
    /** Whether a request to the table is about this company. */
    isMine: ({ body }: { body: unknown }) => JSON.stringify(body).includes(`"connection#${key}"`),
  }
}

export type Company = Awaited<ReturnType<typeof connectCompany>>
