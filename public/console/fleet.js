import { isNotOffered } from './api.js'
import { createCard } from './card.js'
import { statusOf, summary } from './connection.js'
import { byId } from './dom.js'
import { session } from './session.js'
import { nowSeconds } from './time.js'

/** @import { Api, Failed } from './api.js' */
/** @import { Card } from './card.js' */
/** @import { Connection } from './connection.js' */
/** @typedef {ReturnType<typeof import('./dialogs.js').createDialogs>} Dialogs */

/** What the status route adds to the metadata, and nothing that it may hold besides. @param {Partial<Connection>} told */
const additions = ({ status, refresh_token_hard_expires_at, last_error, disconnection }) => ({
  ...(status === undefined ? {} : { status }),
  ...(refresh_token_hard_expires_at === undefined ? {} : { refresh_token_hard_expires_at }),
  ...(last_error === undefined ? {} : { last_error }),
  ...(disconnection === undefined ? {} : { disconnection }),
})

/**
 * The connections on the page, and what can be done with each.
 * @param {{ api: Api, dialogs: Dialogs, offersDisconnect: boolean, onUnauthorized(): void }} parts
 */
export const createFleet = ({ api, dialogs, offersDisconnect, onUnauthorized }) => {
  const list = byId('connections', HTMLUListElement)
  /** @type {Map<string, { card: Card, connection: Connection }>} */
  const shown = new Map()
  let offersStatus = true
  let isListed = false
  list.replaceChildren()

  const sumUp = () => {
    const statuses = [...shown.values()].map(({ connection }) => statusOf(connection, nowSeconds()))
    byId('summary', HTMLElement).textContent = summary(statuses)
    byId('no-list', HTMLElement).hidden = isListed || shown.size > 0
  }

  /** @param {Failed} answer */
  const explain = (answer) => {
    if (answer.status === 401) onUnauthorized()
    return answer.text
  }

  /** @param {string} companyKey */
  const status = async (companyKey) => {
    if (!offersStatus) return {}
    const answer = await api.status(companyKey)
    if (answer.ok) return additions(answer.body)
    if (isNotOffered(answer)) offersStatus = false
    return {}
  }

  /** @param {Connection} connection */
  const show = (connection) => {
    const { company_key: companyKey } = connection
    const card = shown.get(companyKey)?.card ?? addCard(companyKey)
    shown.set(companyKey, { card, connection })
    card.show(connection)
    sumUp()
  }

  /** @param {string} companyKey */
  const read = async (companyKey) => {
    const [metadata, more] = await Promise.all([api.connection(companyKey), status(companyKey)])
    return metadata.ok ? { ...metadata.body, ...more } : explain(metadata)
  }

  /** Reads one connection and shows it. Returns what went wrong. @param {string} companyKey */
  const load = async (companyKey) => {
    const answer = await read(companyKey)
    if (typeof answer === 'string') return answer
    show(answer)
    return undefined
  }

  /** Does something to a connection, then shows what became of it. @param {string} companyKey @param {() => ReturnType<Api['refresh' | 'disconnect']>} change @param {string} done */
  const act = async (companyKey, change, done) => {
    const card = shown.get(companyKey)?.card
    card?.say('Working…', false)
    const answer = await change()
    const trouble = await load(companyKey)
    if (!answer.ok) card?.say(explain(answer), true)
    else card?.say(trouble ?? done, trouble !== undefined)
  }

  /** @param {string} companyKey @param {string} name @param {string} [newName] */
  const link = async (companyKey, name, newName) => {
    const answer = await api.startLink(companyKey, newName)
    if (answer.ok) return dialogs.showLink(name, answer.body.url, answer.body.expires_at ?? undefined)
    if (!isNotOffered(answer) && answer.code !== 'connection_not_found') {
      shown.get(companyKey)?.card.say(explain(answer), true)
      return
    }
    const url = new URL(`/oauth/start/${encodeURIComponent(companyKey)}`, location.origin)
    if (newName) url.searchParams.set('company_name', newName)
    dialogs.showLink(name, url.href, undefined)
  }

  /** @param {string} companyKey */
  const forget = async (companyKey) => {
    shown.get(companyKey)?.card.item.remove()
    shown.delete(companyKey)
    session.forget(companyKey)
    sumUp()
    byId('look-up-key', HTMLInputElement).focus()
  }

  /** @param {string} companyKey */
  const addCard = (companyKey) => {
    const name = () => shown.get(companyKey)?.connection.company_name ?? companyKey
    const card = createCard(
      {
        link: () => link(companyKey, name()),
        refresh: () => act(companyKey, () => api.refresh(companyKey), 'Refreshed just now.'),
        disconnect: async () => {
          if (!(await dialogs.confirmDisconnect(name()))) return
          await act(companyKey, () => api.disconnect(companyKey), 'Disconnected.')
        },
        ...(isListed ? {} : { forget: () => forget(companyKey) }),
      },
      offersDisconnect,
    )
    list.append(card.item)
    return card
  }

  return {
    /** Shows a connection by its key, and again whenever this tab is reloaded. Returns what went wrong. @param {string} companyKey */
    lookUp: async (companyKey) => {
      const trouble = await load(companyKey)
      if (trouble === undefined && !isListed) session.remember(companyKey)
      return trouble
    },
    /** The start link of a key that may be new. @param {string} companyKey @param {string} companyName */
    linkNew: (companyKey, companyName) => link(companyKey, companyName || companyKey, companyName),
    /** Shows a page of the deployment's own list. @param {Connection[]} connections */
    showListed: (connections) => {
      isListed = true
      connections.forEach(show)
      sumUp()
    },
    /** Shows what this tab looked up before, in that order. */
    showRemembered: async () => {
      sumUp()
      for (const answer of await Promise.all(session.lookedUp().map(read))) if (typeof answer !== 'string') show(answer)
    },
  }
}
