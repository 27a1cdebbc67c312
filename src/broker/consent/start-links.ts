import { Problem } from '../../problem.ts'
import type { LinkSigner, SignedLink, VerifiedLink } from '../ports/crypto.ts'
import type { Runtime } from '../ports/runtime.ts'
import { nowSeconds } from '../timing.ts'

/** Lifetime of a signed start link, in seconds. People read mail the next day; a link older than a month is a risk. */
export const LINK_SECONDS = { min: 60, default: 86_400, max: 30 * 86_400 }

/** `open`: anybody may start a consent. `signed`: only with a signed link. */
export type StartLinkMode = 'open' | 'signed'

/** The signature in a link. `malformed`: its parameters are incomplete, repeated or in an unknown format. */
export type LinkSignature = SignedLink | 'malformed' | undefined

/** A start link that a person opened. The format of each part is already validated. */
export interface StartRequest {
  companyKey: string
  companyName: string | undefined
  signature: LinkSignature
}

/** A start link to send to a person. Without a signature it never expires. */
export interface IssuedLink {
  companyKey: string
  companyName: string | undefined
  signed: SignedLink | undefined
}

/** What start links need. */
export interface StartLinkDeps {
  linkSigner: LinkSigner
  startLinkMode(): StartLinkMode
  runtime: Pick<Runtime, 'now'>
}

function invalidStartLink() {
  return new Problem('invalid_start_link', 'This link has expired or was altered. Ask whoever sent it for a new one.')
}

async function verifyLink(
  { linkSigner, runtime }: StartLinkDeps,
  { companyKey, companyName, signature: signed }: StartRequest,
): Promise<VerifiedLink | undefined> {
  if (signed === undefined || signed === 'malformed') return undefined
  const { expiresAt, signature } = signed
  const isAuthentic = await linkSigner.verify({ companyKey, companyName, expiresAt }, signature)
  return isAuthentic && expiresAt > nowSeconds(runtime) ? { expiresAt, kid: signature.kid } : undefined
}

/**
 * Creates the functions for start links. A link works until it expires. Each time it is opened, it gets a new state.
 */
export function createStartLinks(deps: StartLinkDeps) {
  const { linkSigner, startLinkMode, runtime } = deps

  return {
    /**
     * Creates a link. It is signed if a key is configured, in both modes, so that links that people already have still
     * work after the mode changes.
     */
    issue: async (
      companyKey: string,
      companyName: string | undefined,
      expiresInSeconds: number = LINK_SECONDS.default,
    ): Promise<IssuedLink> => {
      const expiresAt = nowSeconds(runtime) + expiresInSeconds
      const signature = await linkSigner.sign({ companyKey, companyName, expiresAt })
      return { companyKey, companyName, signed: signature && { expiresAt, signature } }
    },

    /**
     * Checks whether a request may start a consent. In the mode `open`, only a link with a signature is verified, and
     * only if keys are configured. Resolves to the verified link, or to `undefined` if none is needed. Throws
     * `invalid_start_link`.
     */
    authorizeStart: async (request: StartRequest): Promise<VerifiedLink | undefined> => {
      const isOpen = startLinkMode() === 'open'
      if (isOpen && (request.signature === undefined || !linkSigner.isConfigured())) return undefined
      const link = await verifyLink(deps, request)
      if (!link) throw invalidStartLink()
      return link
    },

    /** Signs a verified link again. `undefined`: it has expired, or its key is no longer configured. */
    signAgain: async (
      companyKey: string,
      companyName: string | undefined,
      { expiresAt, kid }: VerifiedLink,
    ): Promise<SignedLink | undefined> => {
      if (expiresAt <= nowSeconds(runtime)) return undefined
      const signature = await linkSigner.sign({ companyKey, companyName, expiresAt }, kid)
      return signature && { expiresAt, signature }
    },
  }
}
