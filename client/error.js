/** @import { ErrorFacts } from './index.d.ts' */

/** The broker returned no token. Documented in `index.d.ts`. */
export class BrokerError extends Error {
  /** @override */
  name = 'BrokerError'

  /**
   * @param {string} code
   * @param {string} detail
   * @param {ErrorFacts} facts
   */
  constructor(code, detail, { status, requestId, retryAfter, intuitTid, cause } = {}) {
    super(`${code}: ${detail}`, { cause })
    this.code = code
    this.detail = detail
    this.status = status
    this.requestId = requestId
    this.retryAfter = retryAfter
    this.intuitTid = intuitTid
  }
}
