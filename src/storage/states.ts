import type { AuthorizationState, StateStore, VerifiedLink } from '../broker/ports.ts'
import { attributes, flag, integer, text } from './attributes.ts'
import type { DynamoDb, Item } from './dynamodb.ts'

/*
 * pk                         S     state#<nonce>
 * company_key, company_name  S     as given at start; the name only if one was given
 * uses_sandbox_credentials   BOOL
 * browser_hash               S     SHA-256 of what the browser has to present, only where it has to
 * link_expires_at            N     of the signed start link that was opened, only where one was
 * link_kid                   S     the key that signed it
 * created_at, expires_at     N     expires_at is the table's TTL attribute
 * claimed_by                 S     who spent it
 */

function key(nonce: string) {
  return attributes({ pk: `state#${nonce}` })
}

function parseLink(item: Item): VerifiedLink | undefined {
  const [expiresAt, kid] = [integer(item, 'link_expires_at'), text(item, 'link_kid')]
  return expiresAt === undefined || kid === undefined ? undefined : { expiresAt, kid }
}

function stateOf(item: Item, nonce: string, companyKey: string): AuthorizationState {
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

export function stateStore(dynamo: DynamoDb): StateStore {
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

    async claim(nonce, companyKey, claimant, now, browserHash) {
      const orThisOne = browserHash === undefined ? '' : ' OR browser_hash = :browser'
      const claimed = await dynamo.updateItem({
        Key: key(nonce),
        UpdateExpression: 'SET claimed_by = :me',
        // "OR mine": a claim whose answer was lost and that is sent again must not read as a replay.
        ConditionExpression: `company_key = :key AND expires_at > :now AND (attribute_not_exists(claimed_by) OR claimed_by = :me) AND (attribute_not_exists(browser_hash)${orThisOne})`,
        ExpressionAttributeValues: attributes({
          ':me': claimant,
          ':key': companyKey,
          ':now': now,
          ':browser': browserHash,
        }),
        ReturnValues: 'ALL_NEW',
      })
      return claimed.refused ? undefined : stateOf(claimed.attributes, nonce, companyKey)
    },
  }
}
