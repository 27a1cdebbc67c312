import { html } from 'hono/html'
import type { Problem } from '../problem.ts'
import type { Html, Page } from './page.ts'
import { wordsFor } from './problem-words.ts'

/** What a page tells of a problem. */
export interface ShownProblem {
  code: string
  detail: string
  requestId: string
  intuitTid?: string | undefined
  /** A path of this service where the person begins again. */
  startPath?: string | undefined
}

const START = '/oauth/start/'

/** Only paths of ours: a link on a page of this service leads to the consent and nowhere else. */
function ownStartPath(reference: string, here: URL) {
  if (!URL.canParse(reference, here)) return undefined
  const { pathname, search } = new URL(reference, here)
  return pathname.startsWith(START) && pathname.length > START.length ? `${pathname}${search}` : undefined
}

/** Where to begin again: what the problem says, else the start link that failed, else that of the state's company key. */
function startPath({ startUrl }: Problem, here: URL): string | undefined {
  if (startUrl !== undefined) return ownStartPath(startUrl, here)
  if (here.pathname !== '/oauth/callback') return ownStartPath(here.href, here)
  const companyKey = /^([A-Za-z0-9][\w-]{0,63}):/.exec(here.searchParams.get('state') ?? '')?.[1]
  return companyKey && `${START}${companyKey}`
}

/** What to show of a problem that was met at the address `here`. */
export function shownProblem(problem: Problem, here: URL, requestId: string): ShownProblem {
  return {
    code: problem.code,
    detail: problem.message,
    requestId,
    intuitTid: problem.intuitTid,
    startPath: startPath(problem, here),
  }
}

function entry(term: string, text: string | undefined): Html | '' {
  return text ? html`<dt>${term}</dt><dd>${text}</dd>` : ''
}

function forTheOperator({ code, detail, requestId, intuitTid }: ShownProblem) {
  return html`<details>
<summary>For the person who runs this service</summary>
<p>${detail}</p>
<dl>${entry('Code', code)}${entry('Request', requestId)}${entry('Intuit’s id of the call', intuitTid)}</dl>
</details>`
}

/** A problem as the person at the browser needs it: what happened, what to do, and a link to do it. */
export function problemPage(problem: ShownProblem): Page {
  const { mark, title, happened, next, retry } = wordsFor(problem.code)
  return {
    title,
    mark,
    body: html`<p>${happened}</p>
<p>${next}</p>
${retry && problem.startPath ? html`<a class="button" href="${problem.startPath}">Try again</a>` : ''}
${forTheOperator(problem)}`,
  }
}

/** For a browser that kept nothing of what happened. */
export function forgottenProblemPage(): Page {
  return {
    title: 'The company was not connected',
    mark: 'refused',
    body: html`<p>The last visit to QuickBooks did not end in a connection.</p>
<p>Open the link that you were given once more, or ask the person who sent it for a new one.</p>`,
  }
}
