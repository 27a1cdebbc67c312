import { html } from 'hono/html'
import type { Page } from './page.ts'

/** Where Intuit sends a person who disconnected the app inside QuickBooks. Its link proves nothing, so the page claims nothing. */
export function disconnectedPage(): Page {
  return {
    title: 'Disconnected in QuickBooks',
    mark: 'done',
    body: html`<p>If you have just disconnected this app in QuickBooks, its permission has ended there: it can no longer read or change that company’s data.</p>
<h2>What you can do</h2>
<ul>
<li>If you meant to end it, there is nothing left to do.</li>
<li>To connect again, open the connect link that you were given, or ask the person who sent it for a new one.</li>
</ul>
<p class="last">You can close this window.</p>`,
  }
}

/** Where Intuit sends a person who asks to renew the app's permission. */
export function reconnectPage(): Page {
  return {
    title: 'Connect your company again',
    mark: 'wait',
    body: html`<p>QuickBooks asks for a new permission from time to time, and whenever the last one was withdrawn or has expired.</p>
<h2>What to do</h2>
<ul>
<li>Open the connect link that you were given, and choose the same company as before.</li>
<li>If you no longer have the link, ask the person who sent it for a new one.</li>
</ul>
<p class="last">Nothing is lost meanwhile: your data stays in QuickBooks.</p>`,
  }
}
