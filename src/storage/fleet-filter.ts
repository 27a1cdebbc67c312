import type { Status } from '../broker/connection-status.ts'
import type { IndexFilter } from '../fleet/ports.ts'
import { LATEST_SECONDS } from './attribute-values.ts'

interface Condition {
  expression: string
  values: Record<string, string | number | boolean>
}

/** The time has passed, or is in another unit (`readEpochSeconds`). The broker then decides. */
function toPassedCondition(name: string) {
  return `${name} <= :now OR ${name} > :latest`
}

/**
 * Less strict than the status of the broker. A filter cannot use `dies_at`, because it is a key of the index.
 */
function toStatusConditions(status: Status | undefined, now: number): Condition[] {
  switch (status) {
    case 'failing':
      return [{ expression: 'attribute_exists(failure_code)', values: {} }]
    case 'reconnect_required': {
      const lacksRefreshToken =
        '(attribute_exists(access_token_expires_at) AND NOT attribute_type(refresh_token_expires_at, :number))'
      const [soft, hard] = [
        toPassedCondition('refresh_token_expires_at'),
        toPassedCondition('refresh_token_hard_expires_at'),
      ]
      return [
        {
          expression: `(attribute_exists(failure_code) OR ${soft} OR ${hard} OR ${lacksRefreshToken})`,
          values: { ':now': now, ':latest': LATEST_SECONDS, ':number': 'N' },
        },
      ]
    }
    // An unfinished record has no access token.
    case 'unfinished':
      return [
        {
          expression: '(NOT attribute_type(access_token_expires_at, :number) OR access_token_expires_at > :latest)',
          values: { ':number': 'N', ':latest': LATEST_SECONDS },
        },
      ]
    case 'disconnected':
      return [{ expression: '(attribute_exists(realm_id) OR NOT generation = :zero)', values: { ':zero': 0 } }]
    default:
      return []
  }
}

function toEnvironmentConditions(environment: IndexFilter['environment']): Condition[] {
  if (environment === undefined) return []
  // A record written by hand may lack the attribute. Then its name decides, which only the broker can check.
  return [{ expression: 'NOT uses_sandbox_credentials = :other', values: { ':other': environment === 'production' } }]
}

/** DynamoDB accepts 4 KB of expression. For an API key with more companies, the broker filters. */
const MAX_COMPANIES = 20

/** Includes records without `company_key`, which a record written by hand may lack. */
function toCompanyConditions(companies: IndexFilter['companies']): Condition[] {
  if (!companies || companies.length > MAX_COMPANIES) return []
  const values = companies.map((company, position): [name: string, value: string, isPrefix: boolean] => {
    const isPrefix = company.endsWith('*')
    return [`:company${position}`, isPrefix ? company.slice(0, -1) : company, isPrefix]
  })
  const matches = values.map(([name, , isPrefix]) =>
    isPrefix ? `begins_with(company_key, ${name})` : `company_key = ${name}`,
  )
  return [
    {
      expression: `(${['NOT attribute_type(company_key, :text)', ...matches].join(' OR ')})`,
      values: { ':text': 'S', ...Object.fromEntries(values.map(([name, value]) => [name, value])) },
    },
  ]
}

/**
 * Converts the part of a filter that DynamoDB can apply, so that the Worker parses fewer records. The result includes every
 * connection that matches and possibly others, such as records written by hand. The broker filters again.
 */
export function toFilterExpression(filter: IndexFilter | undefined): {
  expression: string | undefined
  values: Condition['values']
} {
  if (!filter) return { expression: undefined, values: {} }
  const conditions = [
    ...toStatusConditions(filter.status, filter.now),
    ...toEnvironmentConditions(filter.environment),
    ...toCompanyConditions(filter.companies),
  ]
  return {
    expression: conditions.length === 0 ? undefined : conditions.map(({ expression }) => expression).join(' AND '),
    values: Object.assign({}, ...conditions.map(({ values }) => values)),
  }
}
