import type { EpochSeconds } from '../broker/connection.ts'
import type { VerifiedLink } from '../broker/ports/crypto.ts'
import type { AuthorizationState, ConsentOutcome, StateStore } from '../broker/ports/storage.ts'
import { isProblemCode } from '../problem.ts'
import { assigned, assignments, attribute, attributes, flag, integer, text } from './attribute-values.ts'
import { all, any, type Condition, equals, isAbove, isNoText } from './conditions.ts'
import type { DynamoDb, Item } from './dynamodb.ts'

/* The item `state#<nonce>`. docs/storage-schema.md describes its attributes. */

const CONNECTED = 'connected'

function key(nonce: string) {
  return attributes({ pk: `state#${nonce}` })
}

function parseLink(item: Item): VerifiedLink | undefined {
  const [expiresAt, kid] = [integer(item, 'link_expires_at'), text(item, 'link_kid')]
  return expiresAt === undefined || kid === undefined ? undefined : { expiresAt, kid }
}

/** The outcome of the visit that used the state. An unknown code, from a later version, is `internal_error`. */
function classifyOutcome(item: Item): ConsentOutcome | undefined {
  const outcome = text(item, 'outcome')
  if (outcome === undefined) return undefined
  if (outcome === CONNECTED) return { connected: true, companyName: text(item, 'outcome_company_name') ?? '' }
  return { connected: false, code: isProblemCode(outcome) ? outcome : 'internal_error' }
}

function parseState(item: Item, nonce: string, companyKey: string): AuthorizationState {
  return {
    nonce,
    companyKey,
    companyName: text(item, 'company_name'),
    environment: flag(item, 'uses_sandbox_credentials') ? 'sandbox' : 'production',
    browserHash: text(item, 'browser_hash'),
    link: parseLink(item),
    createdAt: integer(item, 'created_at') ?? 0,
    expiresAt: integer(item, 'expires_at') ?? 0,
  }
}

function mayClaim(companyKey: string, claimId: string, now: EpochSeconds, browserHash: string | undefined): Condition {
  const anyBrowser = isNoText('browser_hash')
  return all(
    equals('company_key', attribute(companyKey), ':key'),
    isAbove('expires_at', now, ':now'),
    // A claim that is sent again after a lost response must not count as a replay.
    any(isNoText('claimed_by'), equals('claimed_by', attribute(claimId), ':me')),
    browserHash === undefined
      ? anyBrowser
      : any(anyBrowser, equals('browser_hash', attribute(browserHash), ':browser')),
  )
}

export function createStateStore(dynamo: DynamoDb): StateStore {
  return {
    async put(state) {
      await dynamo.putItem({
        Item: attributes({
          pk: `state#${state.nonce}`,
          company_key: state.companyKey,
          company_name: state.companyName,
          uses_sandbox_credentials: state.environment === 'sandbox',
          browser_hash: state.browserHash,
          link_expires_at: state.link?.expiresAt,
          link_kid: state.link?.kid,
          created_at: state.createdAt,
          expires_at: state.expiresAt,
        }),
      })
    },

    async claim(nonce, companyKey, { id, at }, browserHash) {
      const condition = mayClaim(companyKey, id, Math.floor(at / 1000), browserHash)
      const claimed = await dynamo.updateItem({
        Key: key(nonce),
        UpdateExpression: 'SET claimed_by = :me, claimed_at = :at',
        ConditionExpression: condition.expression,
        ExpressionAttributeValues: { ...condition.values, ...attributes({ ':at': at }) },
        ReturnValues: 'ALL_NEW',
      })
      return claimed.refused ? undefined : parseState(claimed.attributes, nonce, companyKey)
    },

    async read(nonce) {
      const item = await dynamo.getItem({ Key: key(nonce), ConsistentRead: true })
      const companyKey = item && text(item, 'company_key')
      if (!item || companyKey === undefined) return undefined
      const [id, at] = [text(item, 'claimed_by'), integer(item, 'claimed_at') ?? 0]
      const claim = id === undefined ? undefined : { id, at }
      return { ...parseState(item, nonce, companyKey), claim, outcome: classifyOutcome(item) }
    },

    async settle(nonce, claimId, outcome) {
      const values = outcome.connected
        ? { outcome: CONNECTED, outcome_company_name: outcome.companyName }
        : { outcome: outcome.code }
      const mine = equals('claimed_by', attribute(claimId), ':me')
      await dynamo.updateItem({
        Key: key(nonce),
        UpdateExpression: `SET ${assignments(values)}`,
        ConditionExpression: mine.expression,
        ExpressionAttributeValues: { ...mine.values, ...assigned(values) },
      })
    },
  }
}
