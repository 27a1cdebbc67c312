import { html } from 'hono/html'
import type { ConsentOutcome, Problem, ProblemCompany } from '../problem.ts'
import type { Html, Page } from './layout.ts'
import { copyFor, standingWords } from './problem-copy.ts'

/** What a page tells of a problem. */
export interface ShownProblem {
  code: string
  detail: string
  requestId: string
  intuitTid?: string | undefined
  /** Intuit's own error code. */
  intuitError?: string | undefined
  company?: ProblemCompany | undefined
  /** Where the person begins again. */
  start?: StartPath | undefined
  /** Whether the start link that the person had has expired. */
  needsNewLink?: boolean | undefined
  /** Of a link that was used before: what its first visit came to. */
  earlierOutcome?: ConsentOutcome | undefined
}

/** A path of this service. The company's name, which may be long, is in `ShownProblem` once. */
export interface StartPath {
  path: string
  /** Whether the name of the company belongs to its query. */
  isNamed: boolean
}

const START = '/oauth/start/'

/** Only paths of ours: a link on a page of this service leads to the consent and nowhere else. */
function ownStartPath(reference: string, here: URL) {
  if (!URL.canParse(reference, here)) return undefined
  const { pathname, search } = new URL(reference, here)
  return pathname.startsWith(START) && pathname.length > START.length ? `${pathname}${search}` : undefined
}

/** Where a person begins the consent for a company; `undefined` where that takes a signed link. */
export type OpenStart = (companyKey: string) => string | undefined

/**
 * Where to begin again: what the problem says, else the start link that failed, else that of the state's company key.
 */
function startPath({ startUrl, company }: Problem, here: URL, openStart: OpenStart): string | undefined {
  if (startUrl !== undefined) return ownStartPath(startUrl, here)
  if (here.pathname !== '/oauth/callback') return ownStartPath(here.href, here)
  // Who knows the company knows its link as well: there is none that works.
  if (company) return undefined
  const companyKey = /^([A-Za-z0-9][\w-]{0,63}):/.exec(here.searchParams.get('state') ?? '')?.[1]
  const start = companyKey && openStart(companyKey)
  return start && ownStartPath(start, here)
}

const NAME = 'company_name'

function withoutName(path: string, name: string | undefined): StartPath {
  const [pathname = '', search] = path.split('?')
  const query = new URLSearchParams(search)
  if (name === undefined || query.get(NAME) !== name) return { path, isNamed: false }
  query.delete(NAME)
  return { path: query.size > 0 ? `${pathname}?${query}` : pathname, isNamed: true }
}

function startLink({ path, isNamed }: StartPath, company: ProblemCompany | undefined): string {
  if (!isNamed || !company) return path
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ [NAME]: company.name })}`
}

/** What to show of a problem that was met at the address `here`. */
export function shownProblem(problem: Problem, here: URL, requestId: string, openStart: OpenStart): ShownProblem {
  const { code, message: detail, intuitTid, intuitError, company, needsNewLink, earlierOutcome } = problem
  const path = startPath(problem, here, openStart)
  const start = path === undefined ? undefined : withoutName(path, company?.name)
  return { code, detail, requestId, intuitTid, intuitError, company, start, needsNewLink, earlierOutcome }
}

function entry(term: string, text: string | undefined): Html | '' {
  return text ? html`<dt>${term}</dt><dd>${text}</dd>` : ''
}

function forTheOperator({ code, detail, requestId, intuitTid, intuitError }: ShownProblem) {
  return html`<details>
<summary>For the person who runs this service</summary>
<p>${detail}</p>
<dl>${entry('Code', code)}${entry('Intuit’s error', intuitError)}${entry('Request', requestId)}${entry('Intuit’s id of the call', intuitTid)}</dl>
</details>`
}

function findRetryKind({ start, needsNewLink }: ShownProblem) {
  if (start) return 'button'
  return needsNewLink ? 'new link' : 'link'
}

function standingSentence({ company }: ShownProblem) {
  const words = company && standingWords(company.standing)
  return words ? html`<p><bdi>${company.name}</bdi> ${words}</p>` : ''
}

/**
 * Nothing went wrong: the link was opened again after it had connected the company. How that stands now is not known
 * here.
 */
function alreadyConnectedPage(problem: ShownProblem, companyName: string): Page {
  return {
    title: `${companyName} was connected by this link`,
    heading: html`<bdi>${companyName}</bdi> was connected by this link`,
    mark: 'done',
    body: html`<p>A link works once. Opening it again changed nothing, and nothing more is needed from you.</p>
<p class="last">You can close this window.</p>
${forTheOperator(problem)}`,
  }
}

/** A problem as the person at the browser needs it: what happened, what to do, and a link to do it. */
export function problemPage(problem: ShownProblem): Page {
  const { company, intuitError, earlierOutcome } = problem
  if (earlierOutcome?.connected) return alreadyConnectedPage(problem, earlierOutcome.companyName)
  const situation = { standing: company?.standing, way: findRetryKind(problem), intuitError } as const
  // A visit that failed is told in the words of its own failure.
  const { mark, title, happened, next, retry } = copyFor(earlierOutcome?.code ?? problem.code, situation)
  return {
    title,
    mark,
    body: html`<p>${happened}</p>
${standingSentence(problem)}
<p>${next}</p>
${retry && problem.start ? html`<a class="button" href="${startLink(problem.start, problem.company)}">Try again</a>` : ''}
${forTheOperator(problem)}`,
  }
}
