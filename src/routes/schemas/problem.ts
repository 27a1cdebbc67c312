import * as v from 'valibot'
import { PROBLEM_STATUS, type ProblemCode } from '../../problem.ts'

function isCode(name: string): name is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, name)
}
/** Every code, in the order of the table. */
export const PROBLEM_CODES: ProblemCode[] = Object.keys(PROBLEM_STATUS).filter(isCode)

/** Every error, as `application/problem+json` (RFC 9457). */
export const PROBLEM = v.object({
  type: v.pipe(v.literal('about:blank'), v.description('The status and the code tell all.')),
  title: v.pipe(v.string(), v.description('HTTP’s own phrase for the status.')),
  status: v.pipe(v.picklist([...new Set(Object.values(PROBLEM_STATUS))]), v.description('The status, once more.')),
  detail: v.pipe(v.string(), v.description('What to do next. Never a secret, never another company’s data.')),
  code: v.pipe(
    v.picklist(PROBLEM_CODES),
    v.description('Stable: a code never changes its meaning. More may be added.'),
  ),
  intuit_tid: v.optional(
    v.pipe(v.string(), v.description('Intuit’s id of the failed call, which its support asks for.')),
  ),
  start_url: v.optional(v.pipe(v.string(), v.description('Where the person begins again.'))),
})

export type ProblemBody = v.InferOutput<typeof PROBLEM>
