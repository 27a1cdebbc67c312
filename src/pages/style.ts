import { base64 } from '../crypto/bytes.ts'
import { sha256 } from '../crypto/digest.ts'

/** The one style of every page. Nothing may be interpolated: the policy allows exactly this text. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #f3f5f8; --card: #fff; --ink: #18212c; --quiet: #55606e; --line: #d5dbe3;
  --action: #0a58a8; --on-action: #fff; --done: #0b7540; --wait: #8a5200; --refused: #b3261e;
  font: 1.0625rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1318; --card: #181f27; --ink: #e9eef4; --quiet: #a6b1be;
  --line: #333e4a; --action: #86bdf8; --on-action: #0b1620; --done: #63d396; --wait: #f0b75c; --refused: #ff958c } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground);
  color: var(--ink) }
main { width: 100%; max-width: 34rem; padding: clamp(1.5rem, 6vw, 2.75rem); background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px #0000000f, 0 12px 32px #00000014;
  overflow-wrap: anywhere }
.mark { display: block; width: 3rem; height: 3rem; margin-bottom: 1.25rem; fill: none; stroke: currentColor;
  stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }
.done { color: var(--done) } .wait { color: var(--wait) } .refused { color: var(--refused) }
.of { margin: 0 0 .35rem; font-size: .875rem; color: var(--quiet) }
h1 { margin: 0 0 1rem; font-size: clamp(1.45rem, 5vw, 1.8rem); line-height: 1.2; letter-spacing: -.01em;
  text-wrap: balance }
h2 { margin: 1.75rem 0 .5rem; font-size: 1rem }
p { margin: 0 0 .75rem } ul { margin: 0 0 1.25rem; padding-left: 1.2rem } li { margin: .3rem 0 }
.last { margin: 1.5rem 0 0; color: var(--quiet) }
a { color: var(--action) }
.button { display: inline-block; margin: .75rem 0 0; padding: .7rem 1.4rem; border-radius: .6rem; font-weight: 600;
  background: var(--action); color: var(--on-action); text-decoration: none; border: 1px solid transparent }
.button:hover { filter: brightness(1.12) }
:focus-visible { outline: 3px solid var(--action); outline-offset: 3px; border-radius: .3rem }
details { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .9rem;
  color: var(--quiet) }
summary { cursor: pointer; padding: .25rem 0 } dl { margin: .5rem 0 0 } dt { margin-top: .5rem }
dd { margin: 0; color: var(--ink); font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .85rem }
`

/** A `Content-Security-Policy` for a page that needs its style, its empty icon, and nothing else. */
export const pagePolicy = async (): Promise<string> =>
  [
    "default-src 'none'",
    `style-src 'sha256-${base64(await sha256(STYLE))}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
