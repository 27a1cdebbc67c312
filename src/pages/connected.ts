import { html } from 'hono/html'
import type { Connection } from '../broker/connection.ts'

/** The page needs nothing but its own style element. */
export const CONNECTED_PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What the owner of a company sees once it is connected. */
export const connectedPage = ({ companyName, environment }: Connection) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${companyName} is connected</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 15vh auto 0; padding: 0 1.25rem; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25 }
</style>
</head>
<body>
<main>
<h1>${companyName} is connected</h1>
<p>QuickBooks${environment === 'sandbox' ? ' (sandbox)' : ''} has given its permission. You can close this window.</p>
</main>
</body>
</html>`
