import { findStatus, summarize } from './connection.js'
import { byId } from './dom.js'
import { nowSeconds } from './time.js'

/** @import { Card } from './card.js' */
/** @import { Connection } from './connection.js' */

/**
 * The cards on the page, and the summary above them.
 * @param {(companyKey: string) => Card} createCard
 */
export const createConnectionList = (createCard) => {
  const list = byId('connections', HTMLUListElement)
  /** @type {Map<string, { card: Card, connection: Connection }>} */
  const shown = new Map()
  /** Whether the connections come from the deployment's list, not from look-ups in this tab. */
  let isListed = false
  list.replaceChildren()

  const updateSummary = () => {
    const statuses = [...shown.values()].map(({ connection }) => findStatus(connection, nowSeconds()))
    byId('summary', HTMLElement).textContent = summarize(statuses)
    byId('no-list', HTMLElement).hidden = isListed || shown.size > 0
  }

  /** @param {string} companyKey */
  const addCard = (companyKey) => {
    const card = createCard(companyKey)
    list.append(card.item)
    return card
  }

  return {
    isListed: () => isListed,
    setListed: () => {
      isListed = true
    },
    updateSummary,

    /** @param {string} companyKey */
    findCard: (companyKey) => shown.get(companyKey)?.card,

    /** The company name, or the key of a connection that is not shown. @param {string} companyKey */
    findName: (companyKey) => shown.get(companyKey)?.connection.company_name ?? companyKey,

    /** Adds a connection, or updates its card. @param {Connection} connection */
    show: (connection) => {
      const { company_key: companyKey } = connection
      const card = shown.get(companyKey)?.card ?? addCard(companyKey)
      shown.set(companyKey, { card, connection })
      card.show(connection)
      updateSummary()
    },

    /** @param {string} companyKey */
    remove: (companyKey) => {
      shown.get(companyKey)?.card.item.remove()
      shown.delete(companyKey)
      updateSummary()
    },
  }
}
