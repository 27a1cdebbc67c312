import { PROBLEM_STATUS, type ProblemCode } from '../../src/problem.ts'
import type { HeaderName } from './headers.ts'
import { type Content, toSchemaRef } from './operation.ts'
import { whenAnswered } from './problem-examples.ts'

/** The status is said once more in the body, and the codes are those of this answer alone. */
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
  // Where Intuit's failure is transient, or says when to ask again.
  502: ['Retry-After'],
  503: ['Retry-After'],
}

const findHeaders = (status: number): HeaderName[] => HEADERS_BY_STATUS[status] ?? []

export interface ProblemAnswer {
  status: number
  description: string
  headers: HeaderName[]
  content: Content
}

/** The problems of an operation, one answer for each status. */
export const problemAnswers = (codes: ProblemCode[]): ProblemAnswer[] => {
  const statuses = [...new Set(codes.map((code) => PROBLEM_STATUS[code]))].sort((a, b) => a - b)
  return statuses.map((status) => {
    const theirs = codes.filter((code) => PROBLEM_STATUS[code] === status)
    return {
      status,
      description: theirs.map((code) => `\`${code}\`: ${whenAnswered(code)}.`).join(' '),
      headers: findHeaders(status),
      content: problemContent(status, theirs),
    }
  })
}
