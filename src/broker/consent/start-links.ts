import { Problem } from '../../problem.ts'
import type { LinkSigner, SignedLink, VerifiedLink } from '../ports/crypto.ts'
import type { Runtime } from '../ports/runtime.ts'

/** How long a link to start lives, in seconds: a mail is read the next day, and a month is a long time for a door to stay open. */
export const LINK_SECONDS = { least: 60, usual: 86_400, most: 30 * 86_400 }

/** `open`: anybody may start, as documented. `signed`: only who was sent a link. */
export type StartLinkMode = 'open' | 'signed'

/** The signature that a link carries; `malformed` where its parts are incomplete, repeated or of no known form. */
export type PresentedSignature = SignedLink | 'malformed' | undefined

/** A link that a person opened, each part already checked for its form. */
export interface StartRequest {
  companyKey: string
  companyName: string | undefined
  signature: PresentedSignature
}

/** A link to start as it is handed out. Without a signature it never expires. */
export interface IssuedLink {
  companyKey: string
  companyName: string | undefined
  signed: SignedLink | undefined
}

export interface StartLinkDeps {
  linkSigner: LinkSigner
  startLinkMode(): StartLinkMode
  runtime: Pick<Runtime, 'now'>
}

function invalidStartLink() {
  return new Problem('invalid_start_link', 'This link has expired or was altered. Ask whoever sent it for a new one.')
}

/** Links that let a person begin a consent. They may be opened again until they expire; each opening has a state of its own. */
export function createStartLinks({ linkSigner, startLinkMode, runtime }: StartLinkDeps) {
  const nowSeconds = () => Math.floor(runtime.now() / 1000)

  /** A link is signed where there is a key, in either mode: links that are under way stay good when the mode is turned. */
  const issue = async (
    companyKey: string,
    companyName: string | undefined,
    expiresInSeconds: number | undefined,
  ): Promise<IssuedLink> => {
    const expiresAt = nowSeconds() + (expiresInSeconds ?? LINK_SECONDS.usual)
    const signature = await linkSigner.sign({ companyKey, companyName, expiresAt })
    return { companyKey, companyName, signed: signature && { expiresAt, signature } }
  }

  const verified = async (request: StartRequest): Promise<VerifiedLink | undefined> => {
    const { companyKey, companyName, signature: presented } = request
    if (presented === undefined || presented === 'malformed') return undefined
    const { expiresAt, signature } = presented
    const isOurs = await linkSigner.verify({ companyKey, companyName, expiresAt }, signature)
    return isOurs && expiresAt > nowSeconds() ? { expiresAt, kid: signature.kid } : undefined
  }

  /**
   * Throws `invalid_start_link` for a link that does not let in. Without `signed` only a link that claims a signature
   * is held to it, and only where there are keys to tell.
   */
  const admit = async (request: StartRequest): Promise<VerifiedLink | undefined> => {
    const isOpen = startLinkMode() === 'open'
    if (isOpen && (request.signature === undefined || !linkSigner.isConfigured())) return undefined
    const link = await verified(request)
    if (!link) throw invalidStartLink()
    return link
  }

  /** The signed part of a link that was verified before. `undefined`: it has expired, or its key is gone. */
  const signAgain = async (companyKey: string, companyName: string | undefined, link: VerifiedLink) => {
    const { expiresAt, kid } = link
    if (expiresAt <= nowSeconds()) return undefined
    const signature = await linkSigner.sign({ companyKey, companyName, expiresAt }, kid)
    return signature && { expiresAt, signature }
  }

  return { issue, admit, signAgain }
}
