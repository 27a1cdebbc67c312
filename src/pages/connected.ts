import { html } from 'hono/html'
import type { Page } from './layout.ts'

/** What the page shows after a successful consent. */
export interface ShownConnection {
  companyName: string
  /** The realm ID of the company that the person chose in QuickBooks. `undefined` if Intuit sent none. */
  realmId: string | undefined
  /** Whether the company is also connected under another key. */
  sharesRealm: boolean
}

/**
 * The page for the owner after a successful consent. The name comes from the link, because Intuit sends only the ID.
 */
export function connectedPage({ companyName, realmId, sharesRealm }: ShownConnection): Page {
  return {
    title: `${companyName} is connected`,
    heading: html`<bdi>${companyName}</bdi> is connected`,
    mark: 'done',
    body: html`<p>QuickBooks has given permission. You do not need to do anything else.</p>
<dl class="facts">
<dt>Connected under the name</dt><dd><bdi>${companyName}</bdi></dd>
${realmId === undefined ? '' : html`<dt>QuickBooks company ID</dt><dd>${realmId}</dd>`}
</dl>
${sharesRealm ? html`<p>This QuickBooks company is also connected by another link. If you did not expect that, tell the person who sent you the link.</p>` : ''}
<h2>Is this the right company?</h2>
<p>The name comes from the link. The company ID comes from the company that you chose in QuickBooks, where you find it in the account settings.</p>
<p>If you chose the wrong company, tell the person who sent you the link. They can disconnect it. Then you can connect the right one.</p>
<h2>What happens next</h2>
<ul>
<li>The service that sent you the link can now work with this company’s data in QuickBooks.</li>
<li>You can withdraw the permission at any time. In QuickBooks, open Apps and choose Disconnect.</li>
</ul>
<p class="last">You can close this window.</p>`,
  }
}
