/**
 * An element of the page. Throws where the page and its script do not fit.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export const byId = (id, type) => {
  const element = document.getElementById(id)
  if (element instanceof type) return element
  throw new Error(`The page has no ${id}.`)
}

/**
 * A new element. Text stays text: nothing here reads markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {...(Node | string)} children
 */
export const element = (tag, className, ...children) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children)
  return made
}

/**
 * Runs a button's work once at a time. The button stays focusable meanwhile, so that a keyboard keeps its place.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} work
 */
export const onPress = (button, work) =>
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return
    button.ariaDisabled = 'true'
    await work().finally(() => {
      button.ariaDisabled = null
    })
  })
