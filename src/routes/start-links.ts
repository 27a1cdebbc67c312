import { Hono } from 'hono'
import * as v from 'valibot'
import type { Broker } from '../broker/broker.ts'
import { parseCompanyKey, parseCompanyName } from '../broker/company.ts'
import { LINK_SECONDS } from '../broker/consent/start-links.ts'
import { limitBody, readJsonBody } from '../http/json-body.ts'
import { requirePermission } from '../middleware/api-key.ts'
import { Problem } from '../problem.ts'
import type { StartLinkBody } from './schemas/connection.ts'
import { startLinkUrl } from './start-link.ts'

const EXPIRES_IN = `expires_in must be a whole number of seconds from ${LINK_SECONDS.min} to ${LINK_SECONDS.max}.`

/** The request body. The API document is generated from it. */
export const START_LINK_REQUEST = v.strictObject(
  {
    company_name: v.optional(v.string('company_name must be a string.')),
    expires_in: v.optional(
      v.pipe(
        v.number(EXPIRES_IN),
        v.integer(EXPIRES_IN),
        v.minValue(LINK_SECONDS.min, EXPIRES_IN),
        v.maxValue(LINK_SECONDS.max, EXPIRES_IN),
      ),
    ),
  },
  'The body may have the members company_name and expires_in, and no other.',
)

/** Throws `invalid_request` or `invalid_company_name`. */
function parseRequest(body: object) {
  const parsed = v.safeParse(START_LINK_REQUEST, body)
  if (parsed.success) {
    return { companyName: parseCompanyName(parsed.output.company_name), expiresIn: parsed.output.expires_in }
  }
  const [issue] = parsed.issues
  const isName = v.getDotPath(issue) === 'company_name'
  throw new Problem(isName ? 'invalid_company_name' : 'invalid_request', issue.message)
}

/** `POST /api/connections/{company_key}/start-links`. */
export function startLinkRoutes(broker: Broker, origin: () => string) {
  return new Hono().post(
    '/:company_key{[^/]*}/start-links',
    requirePermission('connection:write'),
    limitBody,
    async (c) => {
      const companyKey = parseCompanyKey(c.req.param('company_key') ?? '')
      const { companyName, expiresIn } = parseRequest(await readJsonBody(c))
      const link = await broker.startLink(companyKey, companyName, expiresIn)
      const answer: StartLinkBody = { url: startLinkUrl(origin(), link), expires_at: link.signed?.expiresAt ?? null }
      return c.json(answer, 201)
    },
  )
}
