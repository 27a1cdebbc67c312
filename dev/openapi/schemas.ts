import { CALLBACK } from '../../src/routes/schemas/callback.ts'
import { CONNECTION, DISCONNECTED, LISTING_PLACEHOLDER, START_LINK } from '../../src/routes/schemas/connection.ts'
import { HEALTH } from '../../src/routes/schemas/health.ts'
import { PROBLEM } from '../../src/routes/schemas/problem.ts'
import { TOKEN } from '../../src/routes/schemas/token.ts'
import { START_LINK_REQUEST } from '../../src/routes/start-links.ts'

/** `components.schemas`, by the names that they have there. */
export const SCHEMAS = {
  Health: HEALTH,
  Callback: CALLBACK,
  Token: TOKEN,
  Connection: CONNECTION,
  ListingPlaceholder: LISTING_PLACEHOLDER,
  Disconnected: DISCONNECTED,
  StartLinkRequest: START_LINK_REQUEST,
  StartLink: START_LINK,
  Problem: PROBLEM,
}
