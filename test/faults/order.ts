import type { FaultEffect, Ordered } from '../support/fault-orders.ts'
import type { Service } from '../support/worker-harness.ts'
import { type Joint, tableRequest } from './joints.ts'
import type { FaultKind, PlannedFault } from './plan.ts'

const DELAY_MS = 300
const HUGE_BYTES = 100_000
const PAGE = '<html><head><title>503 Service Temporarily Unavailable</title></head></html>'

const dynamoError = (type: string) => JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}` })

type Wire = 'table' | 'intuit'

const ANSWERS: Record<Wire, Partial<Record<FaultKind, { status: number; body: string }>>> = {
  table: {
    throttle: { status: 400, body: dynamoError('ThrottlingException') },
    'server error': { status: 500, body: dynamoError('InternalServerError') },
    'gateway page': { status: 503, body: PAGE },
  },
  intuit: {
    throttle: { status: 429, body: '' },
    'server error': { status: 500, body: '' },
    'gateway page': { status: 503, body: PAGE },
    huge: { status: 200, body: '['.repeat(HUGE_BYTES) },
    invalid_grant: { status: 400, body: JSON.stringify({ error: 'invalid_grant' }) },
  },
}

const toEffect = (kind: FaultKind, wire: Wire): FaultEffect => {
  const answer = ANSWERS[wire][kind]
  if (answer) return { kind: 'answer', ...answer }
  switch (kind) {
    case 'cut before':
    case 'cut after':
    case 'break':
    case 'hang':
    case 'hang after':
      return { kind }
    case 'delay':
      return { kind, ms: DELAY_MS }
    default:
      throw new Error(`${kind} is no fault of the ${wire}.`)
  }
}

interface Place {
  companyKey: string
  joint: Joint
  /** Selects the requests to Intuit that use this token. */
  usedHash: string
}

/** Adds a fault at one call of one company's refresh. Without `times` it lasts until it is lifted. */
export const orderEffect = (
  { dynamo, tokenEndpoint }: Service,
  { companyKey, joint, usedHash }: Place,
  effect: FaultEffect,
  times: number | undefined,
): Ordered => {
  const often = times === undefined ? {} : { times }
  if (joint === 'intuit') {
    return tokenEndpoint.fault({ ...effect, ...often, when: ({ body }) => body.usedTokenHash === usedHash })
  }
  return dynamo.fault({
    ...{ ...effect, ...often },
    when: (seen) => {
      const request = tableRequest(seen)
      return request?.companyKey === companyKey && request.joint === joint
    },
  })
}

/** Adds a planned fault. */
export const orderFault = (service: Service, place: Omit<Place, 'joint'>, { joint, kind, times }: PlannedFault) =>
  orderEffect(service, { ...place, joint }, toEffect(kind, joint === 'intuit' ? 'intuit' : 'table'), times)
