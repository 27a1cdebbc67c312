import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** For a page that needs its style (`public/theme.css`, `public/pages.css`), its empty icon, and nothing else. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export type Html = ReturnType<typeof html>

/** How things stand, at a glance: done, worth waiting for, refused; `info` claims nothing. */
export type Mark = 'done' | 'wait' | 'refused' | 'info'

export interface Page {
  /** Plain text, for the tab. */
  title: string
  /** The title as the heading shows it, where it needs markup. */
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

/** A whole document. Whatever is interpolated is escaped. */
function page({ title, heading, mark, body }: Page) {
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

/** Answers a page that may neither be framed, nor run a script, nor ask another host for anything. */
export async function sendPage(
  c: Context,
  shown: Page,
  status: ContentfulStatusCode = 200,
  headers: Record<string, string> = {},
): Promise<Response> {
  return c.html(page(shown), status, { ...headers, 'Content-Security-Policy': POLICY })
}
