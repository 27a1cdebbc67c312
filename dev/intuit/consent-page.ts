import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { Company } from './companies.ts'

const STYLE = `
:root { color-scheme: light dark; --ground: #eef1f4; --card: #fff; --ink: #1d2630; --quiet: #56616d; --line: #cfd6dd;
  --action: #1c6b47; --on-action: #fff; --warn: #ffe9a8; --on-warn: #3d2c00;
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1214; --card: #171d21; --ink: #e8edf0; --quiet: #a5b0b9;
  --line: #35404a; --action: #7cd3a8; --on-action: #06150e; --warn: #4a3a08; --on-warn: #ffe9a8 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere }
.stand-in { margin: 0; padding: .9rem 1.25rem; text-align: center; background: var(--warn); color: var(--on-warn) }
.stand-in strong { display: block; font-size: 1.15rem }
main { max-width: 32rem; margin: 6vh auto; padding: clamp(1.4rem, 6vw, 2.5rem); background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem }
@media (max-width: 34rem) { main { margin: 1rem } }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 1.5rem 0 .25rem; font-size: 1rem }
p { margin: 0 0 .75rem } ul { margin: .25rem 0 0; padding-left: 1.2rem }
fieldset { margin: 1.5rem 0; padding: 0; border: 0 } legend { padding: 0; font-weight: 600 }
label { display: flex; align-items: center; gap: .75rem; margin-top: .5rem; padding: .75rem 1rem; cursor: pointer;
  border: 1px solid var(--line); border-radius: .5rem }
label:has(:checked) { border-color: var(--action); box-shadow: inset 0 0 0 1px var(--action) }
input { flex: none; width: 1.15rem; height: 1.15rem; margin: 0; accent-color: var(--action) }
small { display: block; color: var(--quiet); font-size: .85rem }
button { min-height: 2.75rem; margin: 0 .5rem .5rem 0; padding: .55rem 1.5rem; font: inherit; font-weight: 600;
  cursor: pointer; color: var(--on-action); background: var(--action); border: 1px solid var(--action);
  border-radius: .5rem }
button[value=deny] { color: var(--action); background: transparent }
:focus-visible { outline: 3px solid var(--action); outline-offset: 2px }`

const styleHash = createHash('sha256').update(STYLE).digest('base64')

/** Without `form-action`: a browser would also apply it to the redirect after the form. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; frame-ancestors 'none'`

const page = (title: string, body: ReturnType<typeof html>) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} (local stand-in)</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<header class="stand-in"><strong>Local stand-in</strong>
This page replaces Intuit’s during local development. It uses no real company or account.</header>
<main>${body}</main>
</body>
</html>`

const choice = ({ realmId, name }: Company, index: number) => html`<label>
<input type="radio" name="realm_id" value="${realmId}"${index === 0 ? raw(' checked') : ''}>
<span>${name}<small>Company ID ${realmId}</small></span>
</label>`

/** The page where a person chooses a company and allows or denies access. */
export const renderConsentPage = (requestId: string, companies: Company[]) =>
  page(
    'Connect a company',
    html`<h1>Allow an app to use your accounting data?</h1>
<p>The app on this machine asks for access to one of your companies.</p>
<h2>It will be able to</h2>
<ul>
<li>read and write the company’s accounting data</li>
<li>keep that access until you withdraw it</li>
</ul>
<form method="post" action="/connect/oauth2/decision">
<input type="hidden" name="request" value="${requestId}">
<fieldset><legend>Choose a company</legend>${companies.map(choice)}</fieldset>
<button name="decision" value="allow">Connect</button>
<button name="decision" value="deny">No thanks</button>
</form>`,
  )

/** The page for a request that must not be redirected. */
export const renderErrorPage = (message: string) =>
  page('Request refused', html`<h1>Request refused</h1><p>${message}</p>`)
