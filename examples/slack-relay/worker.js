import { Webhook } from 'standardwebhooks'

/** What Slack reads as links, mentions and entities. Company names come from outside. */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** @param {string} text */
const escapeText = (text) =>
  text.replaceAll('&', ENTITIES['&']).replaceAll('<', ENTITIES['<']).replaceAll('>', ENTITIES['>'])

/** @param {{ type: string, data: { company_name?: string, count?: number, last_error?: { code: string } | null } }} alert */
const toText = ({ type, data }) => {
  const who = data.company_name ?? `${data.count} connections`
  const why = data.last_error ? ` (${data.last_error.code})` : ''
  return `${who}: ${type.replace(/^.*\./, '').replaceAll('_', ' ')}${why}`
}

/** Forwards the broker's alerts to an incoming webhook of Slack. */
export default {
  /**
   * @param {Request} request
   * @param {{ ALERT_WEBHOOK_SECRET: string, SLACK_WEBHOOK_URL: string }} env
   */
  async fetch(request, env) {
    const body = await request.text()
    try {
      new Webhook(env.ALERT_WEBHOOK_SECRET).verify(body, Object.fromEntries(request.headers))
    } catch {
      return new Response(null, { status: 401 })
    }
    const response = await fetch(env.SLACK_WEBHOOK_URL, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      // Without mrkdwn, a name with * or _ formats nothing.
      body: JSON.stringify({ text: escapeText(toText(JSON.parse(body))), mrkdwn: false }),
    })
    return new Response(null, { status: response.ok ? 204 : 502 })
  },
}
