import type { Status } from '../broker/connection-status.ts'
import type { IndexFilter } from '../fleet/ports.ts'
import { LATEST_SECONDS } from './attribute-values.ts'

interface Condition {
  expression: string
  values: Record<string, string | number | boolean>
}

/** A time that DynamoDB cannot compare, as it may be in another unit (`epochSeconds`), is left to the broker. */
function isOver(name: string) {
  return `${name} <= :now OR ${name} > :latest`
}

/** By `statusOf`, less strictly. `dies_at` is a key of the index, which no filter may name. */
function statusCondition(status: Status | undefined, now: number): Condition[] {
  switch (status) {
    case 'failing':
      return [{ expression: 'attribute_exists(failure_code)', values: {} }]
    case 'reconnect_required': {
      const lacksRefreshToken =
        '(attribute_exists(access_token_expires_at) AND NOT attribute_type(refresh_token_expires_at, :number))'
      const [soft, hard] = [isOver('refresh_token_expires_at'), isOver('refresh_token_hard_expires_at')]
      return [
        {
          expression: `(attribute_exists(failure_code) OR ${soft} OR ${hard} OR ${lacksRefreshToken})`,
          values: { ':now': now, ':latest': LATEST_SECONDS, ':number': 'N' },
        },
      ]
    }
    // Whatever else it lacks, it holds no access token.
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

function environmentCondition(environment: IndexFilter['environment']): Condition[] {
  if (environment === undefined) return []
  // A record written by hand may lack the attribute: its environment is that of its name.
  return [{ expression: 'NOT uses_sandbox_credentials = :other', values: { ':other': environment === 'production' } }]
}

/** DynamoDB takes 4 KB of expression; a key for more companies than this is left to the broker. */
const MOST_COMPANIES = 20

/** A record written by hand may lack `company_key`. */
function companiesCondition(companies: IndexFilter['companies']): Condition[] {
  if (!companies || companies.length > MOST_COMPANIES) return []
  const values = companies.map((company, position): [name: string, value: string, isPrefix: boolean] => {
    const isPrefix = company.endsWith('*')
    return [`:company${position}`, isPrefix ? company.slice(0, -1) : company, isPrefix]
  })
  const isOne = values.map(([name, , isPrefix]) =>
    isPrefix ? `begins_with(company_key, ${name})` : `company_key = ${name}`,
  )
  return [
    {
      expression: `(${['NOT attribute_type(company_key, :text)', ...isOne].join(' OR ')})`,
      values: { ':text': 'S', ...Object.fromEntries(values.map(([name, value]) => [name, value])) },
    },
  ]
}

/**
 * The part of a filter that DynamoDB can apply, so that the Worker does not parse what nobody asked for. It passes over
 * no connection that the broker would choose, and leaves the choice to the broker: a record may be written by hand.
 */
export function filterExpression(filter: IndexFilter | undefined): {
  expression: string | undefined
  values: Condition['values']
} {
  if (!filter) return { expression: undefined, values: {} }
  const conditions = [
    ...statusCondition(filter.status, filter.now),
    ...environmentCondition(filter.environment),
    ...companiesCondition(filter.companies),
  ]
  return {
    expression: conditions.length === 0 ? undefined : conditions.map(({ expression }) => expression).join(' AND '),
    values: Object.assign({}, ...conditions.map(({ values }) => values)),
  }
}
