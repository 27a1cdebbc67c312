import { html } from 'hono/html'
import type { Page } from './layout.ts'

/**
 * Where Intuit sends a person who disconnected the app inside QuickBooks. Its link proves nothing, so the page claims
 * nothing.
 */
export function disconnectedPage(): Page {
  return {
    title: 'Disconnecting in QuickBooks',
    mark: 'info',
    body: html`<p>QuickBooks leads here when somebody disconnects this app there. This page cannot tell whether that happened: QuickBooks shows under Apps which apps have a permission.</p>
<h2>What you can do</h2>
<ul>
<li>If you have just disconnected the app, and meant to, there is nothing left to do.</li>
<li>To connect again, open the connect link that you were given, or ask the person who sent it for a new one.</li>
</ul>
<p class="last">You can close this window.</p>`,
  }
}

/** Where Intuit sends a person who asks to renew the app's permission. */
export function reconnectPage(): Page {
  return {
    title: 'Connect your company again',
    mark: 'info',
    body: html`<p>QuickBooks leads here when somebody asks to renew this app’s permission. That takes the connect link of your company.</p>
<h2>What to do</h2>
<ul>
<li>Open the connect link that you were given, and choose the same company as before.</li>
<li>If you no longer have the link, ask the person who sent it for a new one.</li>
</ul>
<p class="last">This page changes nothing.</p>`,
  }
}

/**
 * For a browser that kept nothing of how a visit to QuickBooks ended: an old tab, another device, cookies switched off.
 */
export function nothingKeptPage(): Page {
  return {
    title: 'Nothing to show here',
    mark: 'info',
    body: html`<p>This page shows for ten minutes how a visit to QuickBooks ended, in the browser where it ended. This browser has nothing to show, so this page cannot tell whether a company is connected.</p>
<p>The person who sent you the link can tell you. To connect a company, open the link that you were given.</p>`,
  }
}
