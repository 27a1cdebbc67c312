import { html } from 'hono/html'
import type { Page } from './layout.ts'

export interface ShownConnection {
  companyName: string
  /** Of the company that was chosen at QuickBooks, where Intuit told. */
  realmId: string | undefined
  /** Whether the company is connected under another key as well. */
  sharesRealm: boolean
}

/**
 * What the owner of a company sees once it is connected. The name is that of the link: QuickBooks tells only the ID.
 */
export function connectedPage({ companyName, realmId, sharesRealm }: ShownConnection): Page {
  return {
    title: `${companyName} is connected`,
    heading: html`<bdi>${companyName}</bdi> is connected`,
    mark: 'done',
    body: html`<p>QuickBooks has given its permission. Nothing more is needed from you.</p>
<dl class="facts">
<dt>Connected under the name</dt><dd><bdi>${companyName}</bdi></dd>
${realmId === undefined ? '' : html`<dt>QuickBooks company ID</dt><dd>${realmId}</dd>`}
</dl>
${sharesRealm ? html`<p>This QuickBooks company is also connected by another link. If you did not expect that, tell the person who sent you the link.</p>` : ''}
<h2>Is this the right company?</h2>
<p>The name comes from the link, the company ID from the company that you chose in QuickBooks. QuickBooks shows the ID in the company’s account settings.</p>
<p>If you chose the wrong company, tell the person who sent you the link. They disconnect it, and then you can connect the right one.</p>
<h2>What happens next</h2>
<ul>
<li>The service that sent you the link can now work with this company’s data in QuickBooks.</li>
<li>You can withdraw the permission at any time: in QuickBooks, under Apps, choose Disconnect.</li>
</ul>
<p class="last">You can close this window.</p>`,
  }
}
