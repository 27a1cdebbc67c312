import { html } from 'hono/html'
import type { Page } from './layout.ts'

/**
 * The page for Intuit's Disconnect URL. Anybody can open that URL, so the page does not say that a company is
 * disconnected.
 */
export function disconnectedPage(): Page {
  return {
    title: 'Disconnecting in QuickBooks',
    mark: 'info',
    body: html`<p>QuickBooks opens this page when somebody disconnects this app there. This page cannot tell whether that happened. To check, open Apps in QuickBooks: it lists the apps that have permission.</p>
<h2>What you can do</h2>
<ul>
<li>If you wanted to disconnect the app, you do not need to do anything else.</li>
<li>To connect again, open the connect link that you received, or ask the person who sent it for a new one.</li>
</ul>
<p class="last">You can close this window.</p>`,
  }
}

/** The page for Intuit's Reconnect URL. */
export function reconnectPage(): Page {
  return {
    title: 'Connect your company again',
    mark: 'info',
    body: html`<p>QuickBooks opens this page when somebody wants to renew this app’s permission. To do that, you need the connect link of your company.</p>
<h2>What to do</h2>
<ul>
<li>Open the connect link that you received, and choose the same company as before.</li>
<li>If you no longer have the link, ask the person who sent it for a new one.</li>
</ul>
<p class="last">Opening this page changed nothing.</p>`,
  }
}

/** The result page for a browser without a result cookie: an old tab, another device, or blocked cookies. */
export function noResultPage(): Page {
  return {
    title: 'Nothing to show here',
    mark: 'info',
    body: html`<p>After a visit to QuickBooks, this page shows the result for ten minutes, in the same browser. This browser has no result to show, so this page cannot tell whether a company is connected.</p>
<p>The person who sent you the link can tell you. To connect a company, open the link that you received.</p>`,
  }
}
