/** Allow access to a company (default: the first one offered), or deny. */
export type Choice = { realmId?: string } | 'deny'

const findAttribute = (tag: string, name: string) => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? ''

/**
 * Allows or denies access as a person does in a browser: opens the consent page, chooses and submits. Returns the URL of
 * the redirect. Throws if there is no consent page or no redirect.
 */
export const consent = async (authorizationUrl: string, choice: Choice): Promise<string> => {
  const page = await fetch(authorizationUrl, { redirect: 'manual' })
  const body = await page.text()
  if (page.status !== 200)
    throw new Error(`The authorization endpoint responded with ${page.status} instead of a consent page.`)
  const inputs = body.match(/<input[^>]*>/g) ?? []
  const offered = inputs.find((tag) => findAttribute(tag, 'name') === 'realm_id') ?? ''
  const form = new URLSearchParams({
    request: findAttribute(inputs.find((tag) => findAttribute(tag, 'name') === 'request') ?? '', 'value'),
    decision: choice === 'deny' ? 'deny' : 'allow',
    realm_id: choice === 'deny' ? '' : (choice.realmId ?? findAttribute(offered, 'value')),
  })
  const action = new URL(findAttribute(/<form[^>]*>/.exec(body)?.[0] ?? '', 'action'), authorizationUrl)
  const response = await fetch(action, { method: 'POST', body: form, redirect: 'manual' })
  const location = response.headers.get('Location')
  if (!location) throw new Error(`The response to the decision has status ${response.status} instead of a redirect.`)
  return location
}
