import { html } from 'hono/html'
import type { Page } from './page.ts'

const NOBODY = 'Your company'

export interface ShownConnection {
  companyName: string
  /** Whether the company is connected under another key as well. */
  sharesRealm: boolean
}

/** What the owner of a company sees once it is connected. Without a connection it speaks of the owner's company. */
export function connectedPage(shown: ShownConnection | undefined): Page {
  return {
    title: `${shown?.companyName ?? NOBODY} is connected`,
    heading: html`<bdi>${shown?.companyName ?? NOBODY}</bdi> is connected`,
    mark: 'done',
    body: html`<p>QuickBooks has given its permission. Nothing more is needed from you.</p>
${shown?.sharesRealm ? html`<p>This company was connected before, by another link. Both connections work.</p>` : ''}
<h2>What happens next</h2>
<ul>
<li>The service that sent you the link can now work with this company’s data in QuickBooks.</li>
<li>The permission renews itself for as long as it is in use.</li>
<li>You can withdraw it at any time: in QuickBooks, under Apps, choose Disconnect.</li>
</ul>
<p class="last">You can close this window.</p>`,
  }
}
