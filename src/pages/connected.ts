import { html } from 'hono/html'
import type { Page } from './page.ts'

const NOBODY = 'Your company'

/** What the owner of a company sees once it is connected. Without a name it speaks of the owner's company. */
export const connectedPage = (companyName: string | undefined): Page => ({
  title: `${companyName ?? NOBODY} is connected`,
  heading: html`<bdi>${companyName ?? NOBODY}</bdi> is connected`,
  mark: 'done',
  body: html`<p>QuickBooks has given its permission. Nothing more is needed from you.</p>
<h2>What happens next</h2>
<ul>
<li>The service that sent you the link can now work with this company’s data in QuickBooks.</li>
<li>The permission renews itself for as long as it is in use.</li>
<li>You can withdraw it at any time: in QuickBooks, under Apps, choose Disconnect.</li>
</ul>
<p class="last">You can close this window.</p>`,
})
