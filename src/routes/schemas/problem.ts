import * as v from 'valibot'
import { PROBLEM_STATUS, type ProblemCode } from '../../problem.ts'

function isCode(name: string): name is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, name)
}

/** Every problem code, in the order of `PROBLEM_STATUS`. */
export const PROBLEM_CODES: ProblemCode[] = Object.keys(PROBLEM_STATUS).filter(isCode)

/** Body of every error: `application/problem+json` (RFC 9457). */
export const PROBLEM = v.object({
  type: v.pipe(
    v.literal('about:blank'),
    v.description('Always `about:blank`: `status` and `code` identify the problem.'),
  ),
  title: v.pipe(v.string(), v.description('The HTTP reason phrase of the status.')),
  status: v.pipe(v.picklist([...new Set(Object.values(PROBLEM_STATUS))]), v.description('The HTTP status code.')),
  detail: v.pipe(v.string(), v.description('What to do next. Never contains a secret or data of another company.')),
  code: v.pipe(
    v.picklist(PROBLEM_CODES),
    v.description('A stable code: its meaning never changes. New codes may be added.'),
  ),
  intuit_tid: v.optional(
    v.pipe(v.string(), v.description('The `intuit_tid` of the failed call. Intuit’s support asks for it.')),
  ),
  start_url: v.optional(v.pipe(v.string(), v.description('Where the person starts again.'))),
})

export type ProblemBody = v.InferOutput<typeof PROBLEM>
