import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { Company } from './companies.ts'

const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif }
main { max-width: 30rem; margin: 8vh auto; padding: 0 1.25rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25 }
fieldset { border: 1px solid; border-radius: .5rem; margin: 1.5rem 0; padding: .5rem 1rem }
label { display: block; padding: .5rem 0 }
button { font: inherit; padding: .6rem 1.4rem; border-radius: .5rem; border: 1px solid; cursor: pointer; margin: 0 .5rem .5rem 0 }
.note { border-left: .25rem solid; padding-left: .75rem }`

const styleHash = createHash('sha256').update(STYLE).digest('base64')

/** `form-action` is left out: a browser would apply it to the redirect that follows the form, too. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; frame-ancestors 'none'`

const page = (title: string, body: ReturnType<typeof html>) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body><main>${body}</main></body>
</html>`

const choice = ({ realmId, name }: Company, index: number) => html`<label>
<input type="radio" name="realm_id" value="${realmId}"${index === 0 ? raw(' checked') : ''}> ${name}
</label>`

/** Where a person chooses a company and allows or denies. */
export const consentPage = (requestId: string, companies: Company[]) =>
  page(
    'Connect a company (local stand-in)',
    html`<h1>Connect a company</h1>
<p class="note">This is a local stand-in for the authorization server. No real company and no real account is involved.</p>
<p>An app asks to read and write the accounting data of a company.</p>
<form method="post" action="/connect/oauth2/decision">
<input type="hidden" name="request" value="${requestId}">
<fieldset><legend>Company</legend>${companies.map(choice)}</fieldset>
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`,
  )

/** Where there is nothing to redirect to. */
export const errorPage = (message: string) => page('Request refused', html`<h1>Request refused</h1><p>${message}</p>`)
