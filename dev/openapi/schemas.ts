import { CALLBACK } from '../../src/routes/schemas/callback.ts'
import { CONNECTION, DISCONNECTED, LISTING_PLACEHOLDER, START_LINK } from '../../src/routes/schemas/connection.ts'
import { LISTING, SUMMARY } from '../../src/routes/schemas/fleet.ts'
import { HEALTH } from '../../src/routes/schemas/health.ts'
import { PROBLEM } from '../../src/routes/schemas/problem.ts'
import { NOT_READY, READY } from '../../src/routes/schemas/ready.ts'
import { CONNECTION_STATUS } from '../../src/routes/schemas/status.ts'
import { TOKEN } from '../../src/routes/schemas/token.ts'
import { START_LINK_REQUEST } from '../../src/routes/start-links.ts'

/** `components.schemas`, by component name. */
export const SCHEMAS = {
  Health: HEALTH,
  Callback: CALLBACK,
  Token: TOKEN,
  Connection: CONNECTION,
  Listing: LISTING,
  ListingPlaceholder: LISTING_PLACEHOLDER,
  Disconnected: DISCONNECTED,
  StartLinkRequest: START_LINK_REQUEST,
  StartLink: START_LINK,
  Summary: SUMMARY,
  ConnectionStatus: CONNECTION_STATUS,
  Ready: READY,
  NotReady: NOT_READY,
  Problem: PROBLEM,
}
