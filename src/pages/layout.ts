import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Allows only the stylesheets `public/theme.css` and `public/pages.css`, and the empty icon. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Escaped HTML. */
export type Html = ReturnType<typeof html>

/** The icon of a page: success, retry later, failure, or neutral information. */
export type Mark = 'done' | 'wait' | 'refused' | 'info'

/** The content of a page. */
export interface Page {
  /** Plain text, for the browser tab. */
  title: string
  /** The title with markup, for the heading. Default: `title`. */
  heading?: Html
  mark: Mark
  body: Html
}

const MARK_PATHS: Record<Mark, string> = {
  done: 'm7.5 12.4 3 3 6-6.6',
  wait: 'M12 7v5.2l3.2 2',
  refused: 'M12 7.2v5.6M12 16.6v.1',
  info: 'M12 11.2v5.6M12 7.4v.1',
}

/** Renders the HTML document. `html` escapes every interpolated string. */
function renderPage({ title, heading, mark, body }: Page) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/theme.css">
<link rel="stylesheet" href="/pages.css">
</head>
<body>
<main>
<svg class="mark ${mark}" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="${MARK_PATHS[mark]}"/></svg>
<p class="of">QuickBooks connection</p>
<h1>${heading ?? title}</h1>
${body}
</main>
</body>
</html>`
}

/** Sends a page. Its policy forbids framing, scripts and requests to other hosts. */
export async function sendPage(
  c: Context,
  shown: Page,
  status: ContentfulStatusCode = 200,
  headers: Record<string, string> = {},
): Promise<Response> {
  return c.html(renderPage(shown), status, { ...headers, 'Content-Security-Policy': POLICY })
}
