import { html } from 'hono/html'
import type { ConsentOutcome, Problem, ProblemCompany } from '../problem.ts'
import type { Html, Page } from './layout.ts'
import { copyFor, standingWords } from './problem-copy.ts'

/** What a page shows of a problem. The callback also stores it in a cookie. */
export interface ShownProblem {
  code: string
  detail: string
  requestId: string
  intuitTid?: string | undefined
  /** The OAuth error code from Intuit. */
  intuitError?: string | undefined
  company?: ProblemCompany | undefined
  /** Where the person starts again. */
  start?: StartPath | undefined
  /** Whether the person's start link has expired. */
  needsNewLink?: boolean | undefined
  /** For a link that was used before: the result of the first visit. */
  earlierOutcome?: ConsentOutcome | undefined
}

/** A path of this service. The company name can be long, so `ShownProblem` contains it only once. */
export interface StartPath {
  path: string
  /** Whether to add the company name to the query. */
  isNamed: boolean
}

const START = '/oauth/start/'

/** Accepts only start links of this service, so that a problem page never links to another site. */
function toStartPath(reference: string, here: URL) {
  if (!URL.canParse(reference, here)) return undefined
  const { pathname, search } = new URL(reference, here)
  return pathname.startsWith(START) && pathname.length > START.length ? `${pathname}${search}` : undefined
}

/** Returns the start link of a company key. `undefined` if start links must be signed. */
export type OpenStart = (companyKey: string) => string | undefined

/**
 * Where to start again: the problem's `startUrl`, else the failed start link, else the link for the state's company
 * key.
 */
function findStartPath({ startUrl, company }: Problem, here: URL, openStart: OpenStart): string | undefined {
  if (startUrl !== undefined) return toStartPath(startUrl, here)
  if (here.pathname !== '/oauth/callback') return toStartPath(here.href, here)
  // A problem with a company but without `startUrl` has no start link that works.
  if (company) return undefined
  const companyKey = /^([A-Za-z0-9][\w-]{0,63}):/.exec(here.searchParams.get('state') ?? '')?.[1]
  const start = companyKey && openStart(companyKey)
  return start && toStartPath(start, here)
}

const NAME = 'company_name'

function removeName(path: string, name: string | undefined): StartPath {
  const [pathname = '', search] = path.split('?')
  const query = new URLSearchParams(search)
  if (name === undefined || query.get(NAME) !== name) return { path, isNamed: false }
  query.delete(NAME)
  return { path: query.size > 0 ? `${pathname}?${query}` : pathname, isNamed: true }
}

function toStartLink({ path, isNamed }: StartPath, company: ProblemCompany | undefined): string {
  if (!isNamed || !company) return path
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ [NAME]: company.name })}`
}

/** Selects what a page shows of a problem that occurred at the URL `here`. */
export function toShownProblem(problem: Problem, here: URL, requestId: string, openStart: OpenStart): ShownProblem {
  const { code, message: detail, intuitTid, intuitError, company, needsNewLink, earlierOutcome } = problem
  const path = findStartPath(problem, here, openStart)
  const start = path === undefined ? undefined : removeName(path, company?.name)
  return { code, detail, requestId, intuitTid, intuitError, company, start, needsNewLink, earlierOutcome }
}

function renderEntry(term: string, text: string | undefined): Html | '' {
  return text ? html`<dt>${term}</dt><dd>${text}</dd>` : ''
}

function renderOperatorDetails({ code, detail, requestId, intuitTid, intuitError }: ShownProblem) {
  return html`<details>
<summary>For the person who runs this service</summary>
<p>${detail}</p>
<dl>${renderEntry('Code', code)}${renderEntry('Intuit’s error', intuitError)}${renderEntry('Request', requestId)}${renderEntry('Intuit’s call ID', intuitTid)}</dl>
</details>`
}

function findRetryKind({ start, needsNewLink }: ShownProblem) {
  if (start) return 'button'
  return needsNewLink ? 'new link' : 'link'
}

function renderStanding({ company }: ShownProblem) {
  const words = company && standingWords(company.standing)
  return words ? html`<p><bdi>${company.name}</bdi> ${words}</p>` : ''
}

/**
 * For a link that was opened again after it connected the company. The current state of the connection is not known
 * here.
 */
function alreadyConnectedPage(problem: ShownProblem, companyName: string): Page {
  return {
    title: `${companyName} was connected by this link`,
    heading: html`<bdi>${companyName}</bdi> was connected by this link`,
    mark: 'done',
    body: html`<p>A link works once. Opening it again changed nothing. You do not need to do anything else.</p>
<p class="last">You can close this window.</p>
${renderOperatorDetails(problem)}`,
  }
}

/** The problem page: what happened, what to do next, and a link to retry. */
export function problemPage(problem: ShownProblem): Page {
  const { company, intuitError, earlierOutcome } = problem
  if (earlierOutcome?.connected) return alreadyConnectedPage(problem, earlierOutcome.companyName)
  const situation = { standing: company?.standing, way: findRetryKind(problem), intuitError } as const
  // A second visit to a failed link shows the copy of the first failure.
  const { mark, title, happened, next, retry } = copyFor(earlierOutcome?.code ?? problem.code, situation)
  return {
    title,
    mark,
    body: html`<p>${happened}</p>
${renderStanding(problem)}
<p>${next}</p>
${retry && problem.start ? html`<a class="button" href="${toStartLink(problem.start, problem.company)}">Try again</a>` : ''}
${renderOperatorDetails(problem)}`,
  }
}
