import type { EpochSeconds } from '../broker/connection.ts'
import type { VerifiedLink } from '../broker/ports/crypto.ts'
import type { AuthorizationState, ConsentOutcome, StateStore } from '../broker/ports/storage.ts'
import { toSeconds } from '../broker/timing.ts'
import { isProblemCode } from '../problem.ts'
import {
  readFlag,
  readInteger,
  readText,
  toAssignedValues,
  toAssignments,
  toAttribute,
  toAttributes,
} from './attribute-values.ts'
import { all, any, type Condition, equals, isAbove, isNoText } from './conditions.ts'
import type { DynamoDb, Item } from './dynamodb.ts'

/* The item `state#<nonce>`. docs/storage-schema.md describes its attributes. */

const CONNECTED = 'connected'

function toKey(nonce: string) {
  return toAttributes({ pk: `state#${nonce}` })
}

function parseLink(item: Item): VerifiedLink | undefined {
  const [expiresAt, kid] = [readInteger(item, 'link_expires_at'), readText(item, 'link_kid')]
  return expiresAt === undefined || kid === undefined ? undefined : { expiresAt, kid }
}

/** The outcome of the callback that used the state. An unknown code, from a later version, becomes `internal_error`. */
function parseOutcome(item: Item): ConsentOutcome | undefined {
  const outcome = readText(item, 'outcome')
  if (outcome === undefined) return undefined
  if (outcome === CONNECTED) return { connected: true, companyName: readText(item, 'outcome_company_name') ?? '' }
  return { connected: false, code: isProblemCode(outcome) ? outcome : 'internal_error' }
}

function parseState(item: Item, nonce: string, companyKey: string): AuthorizationState {
  return {
    nonce,
    companyKey,
    companyName: readText(item, 'company_name'),
    environment: readFlag(item, 'uses_sandbox_credentials') ? 'sandbox' : 'production',
    browserHash: readText(item, 'browser_hash'),
    link: parseLink(item),
    binding: { idTokenNonce: readText(item, 'id_token_nonce'), codeVerifier: readText(item, 'code_verifier') },
    createdAt: readInteger(item, 'created_at') ?? 0,
    expiresAt: readInteger(item, 'expires_at') ?? 0,
  }
}

function mayClaim(companyKey: string, claimId: string, now: EpochSeconds, browserHash: string | undefined): Condition {
  const anyBrowser = isNoText('browser_hash')
  return all(
    equals('company_key', toAttribute(companyKey), ':key'),
    isAbove('expires_at', now, ':now'),
    // A claim that is repeated after a lost response must not count as a replay.
    any(isNoText('claimed_by'), equals('claimed_by', toAttribute(claimId), ':me')),
    browserHash === undefined
      ? anyBrowser
      : any(anyBrowser, equals('browser_hash', toAttribute(browserHash), ':browser')),
  )
}

/** Stores OAuth states. Every call may throw `storage_unavailable`. */
export function createStateStore(dynamo: DynamoDb): StateStore {
  return {
    async put(state) {
      await dynamo.putItem({
        Item: toAttributes({
          pk: `state#${state.nonce}`,
          company_key: state.companyKey,
          company_name: state.companyName,
          uses_sandbox_credentials: state.environment === 'sandbox',
          browser_hash: state.browserHash,
          link_expires_at: state.link?.expiresAt,
          link_kid: state.link?.kid,
          id_token_nonce: state.binding.idTokenNonce,
          code_verifier: state.binding.codeVerifier,
          created_at: state.createdAt,
          expires_at: state.expiresAt,
        }),
      })
    },

    async claim(nonce, companyKey, { id, at }, browserHash) {
      const condition = mayClaim(companyKey, id, toSeconds(at), browserHash)
      const claimed = await dynamo.updateItem({
        Key: toKey(nonce),
        UpdateExpression: 'SET claimed_by = :me, claimed_at = :at',
        ConditionExpression: condition.expression,
        ExpressionAttributeValues: { ...condition.values, ...toAttributes({ ':at': at }) },
        ReturnValues: 'ALL_NEW',
      })
      return claimed.refused ? undefined : parseState(claimed.attributes, nonce, companyKey)
    },

    async read(nonce) {
      const item = await dynamo.getItem({ Key: toKey(nonce), ConsistentRead: true })
      const companyKey = item && readText(item, 'company_key')
      if (!item || companyKey === undefined) return undefined
      const [id, at] = [readText(item, 'claimed_by'), readInteger(item, 'claimed_at') ?? 0]
      const claim = id === undefined ? undefined : { id, at }
      return { ...parseState(item, nonce, companyKey), claim, outcome: parseOutcome(item) }
    },

    async settle(nonce, claimId, outcome) {
      const values = outcome.connected
        ? { outcome: CONNECTED, outcome_company_name: outcome.companyName }
        : { outcome: outcome.code }
      const condition = equals('claimed_by', toAttribute(claimId), ':me')
      await dynamo.updateItem({
        Key: toKey(nonce),
        UpdateExpression: `SET ${toAssignments(values)}`,
        ConditionExpression: condition.expression,
        ExpressionAttributeValues: { ...condition.values, ...toAssignedValues(values) },
      })
    },
  }
}
