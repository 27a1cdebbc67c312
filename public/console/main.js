import { createApi } from './api.js'
import { createDialogs } from './dialogs.js'
import { byId, onPress } from './dom.js'
import { createFleet } from './fleet.js'
import { session } from './session.js'
import { updateTimes } from './time.js'

/** @import { Api } from './api.js' */
/** @typedef {ReturnType<typeof createFleet>} Fleet */

const UPDATE_TIMES_MS = 10_000

const dialogs = createDialogs()
/** @type {Fleet | undefined} */
let fleet
/** @type {() => Promise<void>} */
let showMore = async () => undefined

/** @param {boolean} isSignedIn */
const showSignedIn = (isSignedIn) => {
  byId('signed-out', HTMLElement).hidden = isSignedIn
  byId('signed-in', HTMLElement).hidden = !isSignedIn
  byId('sign-out', HTMLButtonElement).hidden = !isSignedIn
  byId(isSignedIn ? 'connections-title' : 'api-key', HTMLElement).focus()
}

/** @param {string} why */
const signOut = (why) => {
  session.end()
  fleet = undefined
  byId('connections', HTMLUListElement).replaceChildren()
  byId('sign-in-message', HTMLElement).textContent = why
  showSignedIn(false)
}

/** @param {Api} api @param {Fleet} target @param {Awaited<ReturnType<Api['list']>>} answer */
const showList = async (api, target, answer) => {
  const { connections, cursor } = answer.ok ? answer.body : {}
  byId('more', HTMLButtonElement).hidden = !cursor
  showMore = async () => showList(api, target, await api.list(cursor ?? undefined))
  if (connections) target.showListed(connections)
  else await target.showLookedUp()
}

/** A valid key may lack the permission to list connections (403). Only a 401 rejects the key. @param {string} apiKey */
const signIn = async (apiKey) => {
  const api = createApi(apiKey)
  const [answer, offersDisconnect] = await Promise.all([api.list(), api.offersDisconnect()])
  if (!answer.ok && answer.status !== 403) {
    signOut(answer.status === 401 ? 'This API key is not accepted.' : answer.text)
    return
  }
  session.start(apiKey)
  byId('api-key', HTMLInputElement).value = ''
  byId('sign-in-message', HTMLElement).textContent = ''
  const onUnauthorized = () => signOut('The API key is no longer accepted.')
  fleet = createFleet({ api, dialogs, offersDisconnect, onUnauthorized })
  showSignedIn(true)
  await showList(api, fleet, answer)
}

const lookUp = async () => {
  const field = byId('look-up-key', HTMLInputElement)
  const error = await fleet?.lookUp(field.value.trim())
  byId('look-up-message', HTMLElement).textContent = error ?? ''
  if (error === undefined) field.value = ''
}

/** @param {string} id @param {() => Promise<void>} work */
const onSubmit = (id, work) =>
  byId(id, HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    void work()
  })

onSubmit('sign-in', () => signIn(byId('api-key', HTMLInputElement).value.trim()))
onSubmit('look-up', lookUp)
byId('sign-out', HTMLButtonElement).addEventListener('click', () => signOut(''))
byId('new-connection', HTMLButtonElement).addEventListener('click', () =>
  dialogs.askForNew((companyKey, companyName) => void fleet?.linkNew(companyKey, companyName)),
)
onPress(byId('more', HTMLButtonElement), () => showMore())
setInterval(updateTimes, UPDATE_TIMES_MS)

const storedKey = session.apiKey()
if (storedKey) void signIn(storedKey)
