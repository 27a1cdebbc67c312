import { parseCompanyKey, parseCompanyName } from '../src/broker/company.ts'
import { createStartLinks, LINK_SECONDS } from '../src/broker/consent/start-links.ts'
import { readConfig } from '../src/config/config.ts'
import { createLinkSigner } from '../src/crypto/link-signer.ts'
import { startLinkUrl } from '../src/routes/start-link.ts'
import { fail, takeOptions } from './arguments.ts'
import { readEnvironment } from './environment.ts'

const HELP = `
npm run start-link -- --company-key KEY [--company-name NAME] [--expires-in SECONDS] [--vars FILE]
creates a signed link for connecting a company. Prints the link and its expiry.

  --company-key   the key of the connection, such as beach-blend
  --company-name  stored with the connection
  --expires-in    ${LINK_SECONDS.min} to ${LINK_SECONDS.max} seconds (default ${LINK_SECONDS.default})
  --vars          the file with START_LINK_KEYS and QUICKBOOKS_REDIRECT_URI (default: the environment)

Sends no request: the Worker accepts the link because it has the same key. The link can be opened several times until it
expires.
`

const parseSeconds = (text: string | undefined) => {
  if (text === undefined) return undefined
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  const isAllowed = value >= LINK_SECONDS.min && value <= LINK_SECONDS.max
  return isAllowed ? value : fail(`--expires-in must be ${LINK_SECONDS.min} to ${LINK_SECONDS.max} seconds.`)
}

const createLink = async () => {
  const options = takeOptions(HELP, {
    'company-key': { type: 'string' },
    'company-name': { type: 'string' },
    'expires-in': { type: 'string' },
    vars: { type: 'string' },
  })
  const companyKey = parseCompanyKey(options['company-key'] ?? fail('Give --company-key. See --help.'))
  const companyName = parseCompanyName(options['company-name'])
  const expiresIn = parseSeconds(options['expires-in'])
  const config = readConfig(readEnvironment(options.vars, options.vars === undefined).variables)
  const { issue } = createStartLinks({
    linkSigner: createLinkSigner(() => config.startLinks().keys),
    startLinkMode: () => config.startLinks().mode,
    runtime: { now: Date.now },
  })
  const link = await issue(companyKey, companyName, expiresIn)
  if (!link.signed) return fail('Set START_LINK_KEYS in the environment. See --help.')
  const { origin } = new URL(config.authorization().redirectUri)
  const expiry = new Date(link.signed.expiresAt * 1000).toISOString()
  process.stdout.write(`${startLinkUrl(origin, link)}\nExpires ${expiry}\n`)
}

createLink().catch((error: unknown) => fail(error instanceof Error ? error.message : 'The link could not be created.'))
