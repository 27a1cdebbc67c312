import { PROBLEM_STATUS, type ProblemCode } from '../../src/problem.ts'
import type { HeaderName } from './headers.ts'
import { type Content, toSchemaRef } from './operation.ts'
import { findCondition } from './problem-examples.ts'

/** The problem schema, narrowed to the status and the codes of one response. */
const problemContent = (status: number, codes: ProblemCode[]): Content => ({
  schema: {
    allOf: [toSchemaRef('Problem'), { properties: { status: { const: status }, code: { enum: codes } } }],
  },
  examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
})

const HEADERS_BY_STATUS: Partial<Record<number, HeaderName[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  429: ['Retry-After'],
  // Only for transient failures at Intuit, and when Intuit sends `Retry-After`.
  502: ['Retry-After'],
  503: ['Retry-After'],
}

const findHeaders = (status: number): HeaderName[] => HEADERS_BY_STATUS[status] ?? []

export interface ProblemResponse {
  status: number
  description: string
  headers: HeaderName[]
  content: Content
}

/** The problem responses of an operation, one per status. */
export const toProblemResponses = (codes: ProblemCode[]): ProblemResponse[] => {
  const statuses = [...new Set(codes.map((code) => PROBLEM_STATUS[code]))].sort((a, b) => a - b)
  return statuses.map((status) => {
    const sameStatus = codes.filter((code) => PROBLEM_STATUS[code] === status)
    return {
      status,
      description: sameStatus.map((code) => `\`${code}\`: ${findCondition(code)}.`).join(' '),
      headers: findHeaders(status),
      content: problemContent(status, sameStatus),
    }
  })
}
