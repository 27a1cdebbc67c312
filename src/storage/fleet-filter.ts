import type { IndexFilter } from '../broker/fleet-ports.ts'
import type { Status } from '../broker/status.ts'

interface Condition {
  expression: string
  values: Record<string, string | number | boolean>
}

/** Shows every connection that refreshes no more, or may not: it fails, or its refresh token has expired. */
function isUnwell(now: number): Condition {
  return {
    expression:
      '(attribute_exists(failure_code) OR refresh_token_expires_at <= :now OR refresh_token_hard_expires_at <= :now)',
    values: { ':now': now },
  }
}

function statusCondition(status: Status | undefined, now: number): Condition[] {
  switch (status) {
    case 'failing':
    case 'reconnect_required':
      return [isUnwell(now)]
    case 'unfinished':
      return [
        {
          expression: '(NOT attribute_type(generation, :number) OR generation < :one)',
          values: { ':number': 'N', ':one': 1 },
        },
      ]
    case 'disconnected':
      return [{ expression: '(attribute_exists(realm_id) OR generation >= :one)', values: { ':one': 1 } }]
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
